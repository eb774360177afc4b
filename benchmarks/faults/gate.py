"""Planted rows, given to the data gate: through its public function, and once through the public command.

A thousand plantings in processes of their own would be a thousand start-ups, so they are checked in this process: the function is
the one that `truetune check` calls, and is given files and nothing else. The truth stays with the caller.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from benchmarks.faults.plant import Planted
from benchmarks.faults.score import Flag

from truetune.backends.machine import SystemClock
from truetune.cli.progress import SilentProgress
from truetune.core.config import DataConfig
from truetune.core.ports import NO_READERS, ChatTokenizer, Readers
from truetune.core.records import CheckReport, DataRecord, Finding, SealRecord
from truetune.evidence.curated import read_split
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore
from truetune.stages.data import stage
from truetune.stages.data.check import run_check
from truetune.stages.data.splits.frozen import new_seal

ROWS, HELD_OUT = "rows.jsonl", "held_out.jsonl"


class GateError(Exception):
    """The command under test did not answer with a report."""


def check(
    planted: Planted, config: Mapping[str, object] = MappingProxyType({}), readers: Readers = NO_READERS
) -> tuple[list[Flag], float]:
    """What is flagged in the planted rows, and the CPU seconds it took; `config` and `readers` as for `report_on`."""
    report, cpu_s = report_on(planted, config=config, readers=readers)
    return flags_of(report.findings, ROWS), cpu_s


def report_on(
    planted: Planted,
    beside: Mapping[str, Sequence[str]] = MappingProxyType({}),
    config: Mapping[str, object] = MappingProxyType({}),
    readers: Readers = NO_READERS,
) -> tuple[CheckReport, float]:
    """The gate's report on `rows.jsonl`, with other files beside it, and the CPU seconds it took.

    Args:
        planted: the rows, and those that they must not overlap with.
        beside: other files of the folder, by name, as lines.
        config: what the project's `data:` says.
        readers: the models that read the data.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = {ROWS: planted.lines, **({HELD_OUT: planted.held_out} if planted.held_out else {}), **beside}
        for name, lines in files.items():
            write_lines(Path(folder) / name, lines)
        rows, held_out = Path(folder) / ROWS, Path(folder) / HELD_OUT
        return timed(
            [rows], [held_out] if planted.held_out else [], DataConfig.model_validate({"sources": (), **config}), readers
        )


def timed(
    files: Sequence[Path], against: Sequence[Path], config: DataConfig, readers: Readers = NO_READERS
) -> tuple[CheckReport, float]:
    """The gate's report on files, and the CPU seconds it took."""
    started = time.process_time()
    report = run_check(files, against, config, progress=SilentProgress(), readers=readers)
    return report, time.process_time() - started


class GateProject:
    """A project's folder, and the data stage run over it as `truetune run` does."""

    def __init__(self, root: Path) -> None:
        """Its store is empty yet."""
        self._root = root
        self._store = ObjectStore(root / ".truetune" / "objects")
        self._test: SealRecord | None = None
        self.cpu_s = 0.0

    def run(
        self,
        rows: Sequence[Mapping[str, object]],
        config: Mapping[str, object],
        gold: Sequence[Mapping[str, object]] = (),
        tokenizer: ChatTokenizer | None = None,
        max_length: int = 4096,
    ) -> DataRecord:
        """The record of the stage over these rows, for a commercial use; what was sealed before stays sealed."""
        write_lines(self._root / ROWS, [json.dumps(row, ensure_ascii=False) for row in rows])
        gold_path = self._root / "gold.jsonl" if gold else None
        if gold_path:
            write_lines(gold_path, [json.dumps(row, ensure_ascii=False) for row in gold])
        settings = DataConfig.model_validate({"sources": (ROWS,), "min_train_rows": 10, **config})
        request = stage.Request(settings, self._root, 17, max_length, gold_path, commercial=True, seal=self._test)
        folder = RunFolder(self._root / "runs" / "one", self._store, SystemClock())
        started = time.process_time()
        record = stage.run(request, stage.Ports(tokenizer, SilentProgress()), folder)
        self.cpu_s += time.process_time() - started
        return record

    def sealed(self, record: DataRecord) -> list[int]:
        """Seal the test that a run has cut: its lines, from 1."""
        rows = read_split(self._store, record.curated, "test")
        self._test = new_seal(rows, record.test_chosen_by, SystemClock().now_iso(), "sha256:" + "0" * 64)
        return sorted(row.line for row in rows)


def by_command(planted: Planted) -> tuple[list[Flag], float]:
    """What `truetune check` flags in the planted rows, run as people run it; no CPU seconds, for they are its own.

    Raises:
        GateError: the command printed no report.
    """
    with tempfile.TemporaryDirectory() as folder:
        rows, held_out = Path(folder) / ROWS, Path(folder) / HELD_OUT
        write_lines(rows, planted.lines)
        write_lines(held_out, planted.held_out)
        command = [sys.executable, "-m", "truetune", "check", str(rows), "--against", str(held_out), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 4):
        raise GateError(f"`truetune check` ended with {done.returncode}: {(done.stderr or done.stdout)[-2000:]}")
    findings = [Finding.model_validate(finding) for finding in json.loads(done.stdout)["findings"]]
    return flags_of(findings, ROWS), 0.0


def flags_of(findings: Iterable[Finding], file_name: str) -> list[Flag]:
    """The rows of `file_name` that findings name, each with the finding's code and severity."""
    return [Flag(f.code, f.severity, row.line) for f in findings for row in f.rows if row.file.endswith(file_name)]


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """The lines as a UTF-8 file."""
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
