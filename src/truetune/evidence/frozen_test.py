"""The frozen test of a project: the seal that keeps its rows, and the ledger of every look at them.

Both lie beside the contract, so that they are versioned with it: `test.seal.json` and `test.looks.jsonl`. The ledger is
append-only and hash-chained; sealing is an entry in it too, so that a second seal shows.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from truetune.core.errors import EvidenceError
from truetune.core.ports import Clock
from truetune.core.records import FrozenTestInfo, SealRecord
from truetune.evidence import atomic
from truetune.evidence.ledger import Ledger
from truetune.evidence.run_folder import load_record

SEALED, LOOKED, BROKEN = "test.sealed", "test.looked", "test.seal_broken"


class FrozenTest:
    """One project's seal and ledger of looks."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """`folder` is the contract's; nothing is made on disk before the first seal."""
        self.seal_path = folder / "test.seal.json"
        self.ledger = Ledger(folder / "test.looks.jsonl", clock)

    def seal(self) -> SealRecord | None:
        """The seal, None where the test was never sealed.

        Raises:
            EvidenceError: the file is not a seal.
        """
        return load_record(self.seal_path, SealRecord) if self.seal_path.exists() else None

    def put_seal(self, seal: SealRecord, run: str) -> None:
        """Seal the test, in place of an earlier seal where there is one; the ledger keeps both."""
        content = seal.model_dump_json(indent=1)
        self.ledger.append(SEALED, digest=seal.digest, rows=len(seal.rows), chosen_by=seal.chosen_by, run=run)
        atomic.write_text(self.seal_path, content + "\n")

    def look(self, command: str, run: str, digest: str) -> FrozenTestInfo | None:
        """Count a look at the test before it happens.

        Args:
            command: what looks.
            run: in which run.
            digest: of the rows that are looked at.

        Returns:
            The seal and the looks so far, this one included; None where those rows are not the sealed ones.
        """
        seal = self.seal()
        if seal is None or seal.digest != digest:
            return None
        self.info(digest)  # a ledger that does not know the seal gets no further entry
        self.ledger.append(LOOKED, command=command, run=run, digest=digest)
        return self.info(digest)

    def break_seal(self, why: str) -> SealRecord | None:
        """Take the seal away, on purpose; the ledger keeps it, and why. None where there was none.

        Raises:
            EvidenceError: the ledger is broken.
            EnvironmentFault: the folder cannot be written.
        """
        seal = self.seal()
        if seal is not None:
            self.ledger.append(BROKEN, digest=seal.digest, why=why)
            with atomic.writing(self.seal_path):
                self.seal_path.unlink()
        return seal

    def info(self, digest: str) -> FrozenTestInfo | None:
        """When these rows were sealed, and the looks at them so far; None where they never were.

        Raises:
            EvidenceError: the ledger is broken, or does not know the seal that there is.
        """
        entries = self.ledger.read()
        seals = [entry for entry in entries if entry.event == SEALED]
        seal = self.seal()
        if seal is not None and not any(entry.data.get("digest") == seal.digest for entry in seals):
            raise EvidenceError(
                "evidence.ledger",
                "the ledger of looks does not know the seal of the test",
                why="one of the two files was replaced, so nobody can say how often the test was looked at",
                fix=f"restore {self.seal_path.name} and {self.ledger.path.name} from version control",
                where=str(self.ledger.path),
            )
        mine = [entry for entry in seals if entry.data.get("digest") == digest]
        if not mine:
            return None
        looks = Counter(str(e.data.get("command")) for e in entries if e.event == LOOKED and e.data.get("digest") == digest)
        return FrozenTestInfo(
            digest=digest, sealed_at=mine[0].time, looks=looks.total(), seals=len(seals), by_command=dict(sorted(looks.items()))
        )
