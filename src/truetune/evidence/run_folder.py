"""One run's folder: records, ledger, and the project's object store behind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from truetune.core.errors import EvidenceError
from truetune.core.ports import Clock
from truetune.core.records import SCHEMA_VERSION, Record
from truetune.evidence import atomic
from truetune.evidence.digests import bytes_digest
from truetune.evidence.ledger import Ledger
from truetune.evidence.store import ObjectStore

R = TypeVar("R", bound=Record)


class RunFolder:
    """`runs/<id>/`: one `<stage>.json` a stage, `ledger.jsonl`, `metrics.jsonl`, `report.html`, `adapter/`, `log/`."""

    def __init__(self, path: Path, store: ObjectStore, clock: Clock) -> None:
        """Nothing is made on disk until something is written."""
        self.path = path
        self.store = store
        self.clock = clock
        self.ledger = Ledger(path / "ledger.jsonl", clock)

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

    def record_path(self, stage: str) -> Path:
        """Where the stage's record lies."""
        return self.path / f"{stage}.json"

    def write_record(self, stage: str, record: Record, key: str, **data: JsonValue) -> None:
        """Write the record, then say so in the ledger: an entry without its record cannot happen.

        Args:
            stage: name of the stage.
            record: what it found.
            key: digest of all the stage's inputs; a later run with the same key may use this record.
            data: more to keep in the ledger entry.
        """
        content = record.model_dump_json(indent=1).encode("utf-8", "surrogatepass")
        atomic.write_bytes(self.record_path(stage), content)
        self.ledger.append("stage.done", stage=stage, key=key, record=bytes_digest(content), **data)

    def read_record(self, stage: str, kind: type[R]) -> R | None:
        """The stage's record, or None where the stage has not run.

        Raises:
            EvidenceError: the file is not a record of this schema.
        """
        path = self.record_path(stage)
        if not path.exists():
            return None
        return load_record(path, kind)

    def stage_entry(self, stage: str) -> dict[str, JsonValue] | None:
        """The newest ledger data of a finished stage: its key and its record's digest."""
        done = [e.data for e in self.ledger.read() if e.event == "stage.done" and e.data.get("stage") == stage]
        return done[-1] if done else None


def load_record(path: Path, kind: type[R]) -> R:
    """Read a record from a file.

    Raises:
        EvidenceError: not JSON, JSON nested without end, a newer schema, or fields that do not fit.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
        version = value.get("schema_version") if isinstance(value, dict) else None
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise EvidenceError(
                "evidence.schema",
                f"{path.name} was written by a newer truetune (schema {version}, this one reads {SCHEMA_VERSION})",
                fix="pip install --upgrade truetune",
                where=str(path),
            )
        return kind.model_validate(value)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(
            "evidence.record",
            f"{path.name} is not a record that truetune wrote",
            why=str(error).splitlines()[0],
            fix="restore it from a copy, or run the stage again: truetune run --new",
            where=str(path),
        ) from error
