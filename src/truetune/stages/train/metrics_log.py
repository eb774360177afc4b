"""metrics.jsonl: one line a step, on disk as soon as it is known, and each step once however often a run was killed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import TracebackType
from typing import TextIO

from truetune.core.records import StepMetrics
from truetune.evidence import atomic


class MetricsLog:
    """Appends steps. The first step after a start cuts away what a killed run wrote beyond its checkpoint."""

    def __init__(self, path: Path) -> None:
        """The file is opened by `with`."""
        self._path = path
        self._stream: TextIO | None = None
        self._fresh = True

    def __enter__(self) -> MetricsLog:
        """Open the file, make it where it is not there.

        Raises:
            EnvironmentFault: the folder cannot be written to.
        """
        with atomic.writing(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()

    def append(self, step: StepMetrics) -> None:
        """Write one step.

        Raises:
            EnvironmentFault: the disk is full.
        """
        if self._fresh:
            self._cut_from(step.step)
            self._fresh = False
        assert self._stream is not None
        with atomic.writing(self._path):
            self._stream.write(_line(step))
            self._stream.flush()

    def _cut_from(self, step: int) -> None:
        """Keep whole lines of earlier steps only; the trainer tells everything from `step` on again."""
        content = self._path.read_text(encoding="utf-8", errors="replace")
        # What follows the last line break was cut short by a kill.
        lines = content.split("\n")[:-1]
        kept = "".join(f"{line}\n" for line in lines if (at := _step_of(line)) is not None and at < step)
        if kept == content:
            return
        if self._stream is not None:
            self._stream.close()
        atomic.write_text(self._path, kept)
        self._stream = self._path.open("a", encoding="utf-8")


def _step_of(line: str) -> int | None:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return None


def _line(step: StepMetrics) -> str:
    """JSON has no NaN or infinity; as text they can be read back and nobody takes them for a number that was measured."""
    values = {k: _sayable(v) for k, v in step.model_dump(mode="python").items()}
    return json.dumps(values, allow_nan=False) + "\n"


def _sayable(value: float | int | str | None) -> float | int | str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value
