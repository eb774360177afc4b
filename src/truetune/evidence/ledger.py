"""The ledger: an append-only file in which each line carries the hash of the line before.

Editing, removing or reordering a line breaks the chain from there on, and `read` says at which line. A last line cut
short by a kill is not an entry: it is ignored, and the next append starts on a line of its own.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import Field, JsonValue

from truetune.core.errors import EvidenceError
from truetune.core.ports import Clock
from truetune.core.records import Digest, Frozen
from truetune.evidence import atomic
from truetune.evidence.digests import json_digest

GENESIS = "sha256:" + "0" * 64


class Entry(Frozen):
    """One thing that happened. `hash` is over all the other fields."""

    seq: int
    time: str
    event: str
    data: dict[str, JsonValue] = Field(default_factory=dict)
    prev: Digest
    hash: Digest


def entry_hash(seq: int, time: str, event: str, data: dict[str, JsonValue], prev: str) -> str:
    """The hash that chains an entry to the one before."""
    return json_digest({"seq": seq, "time": time, "event": event, "data": data, "prev": prev})


class Ledger:
    """One run's `ledger.jsonl`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """The file is made by the first append."""
        self.path = path
        self._clock = clock

    def append(self, event: str, **data: JsonValue) -> Entry:
        """Add an entry at the end, on disk before this returns.

        Raises:
            EvidenceError: the chain is broken already; nothing is added to a ledger that cannot be trusted.
            EnvironmentFault: the disk is full or read-only.
        """
        entries = self.read()
        prev = entries[-1].hash if entries else GENESIS
        time = self._clock.now_iso()
        digest = entry_hash(len(entries), time, event, data, prev)
        entry = Entry(seq=len(entries), time=time, event=event, data=data, prev=prev, hash=digest)
        with atomic.writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._cut_partial_line()
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(entry.model_dump_json() + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        return entry

    def read(self) -> list[Entry]:
        """All entries, checked link by link.

        Raises:
            EvidenceError: a line is not what was written; `where` names the line.
        """
        if not self.path.exists():
            return []
        entries: list[Entry] = []
        prev = GENESIS
        for number, line in enumerate(self._whole_lines(), start=1):
            entry = self._parse(line, number)
            expected = entry_hash(entry.seq, entry.time, entry.event, entry.data, entry.prev)
            if entry.hash != expected or entry.prev != prev or entry.seq != number - 1:
                raise self._broken(number, "the line's hash does not follow from its content and the line before")
            entries.append(entry)
            prev = entry.hash
        return entries

    def _whole_lines(self) -> list[str]:
        text = self.path.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.split("\n")[:-1] if line]

    def _cut_partial_line(self) -> None:
        """Shorten the file in place: a full disk is what cuts lines, and shortening is the one repair that needs no space."""
        if self.path.exists():
            content = self.path.read_bytes()
            if not content.endswith(b"\n"):
                os.truncate(self.path, content.rfind(b"\n") + 1)

    def _parse(self, line: str, number: int) -> Entry:
        try:
            return Entry.model_validate(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise self._broken(number, "the line is not a ledger entry") from error

    def _broken(self, number: int, why: str) -> EvidenceError:
        return EvidenceError(
            "evidence.ledger",
            f"the ledger is broken at line {number}",
            why=why,
            fix="restore the run folder from a copy, or start a new run: truetune run --new",
            where=f"{self.path}:{number}",
        )
