"""What a check is: one fault, one code, one claim, its thresholds with their sources.

There are two kinds. A *row check* looks at one row at a time and knows nothing but that row and the task: all row checks share
one pass over the rows, in this process or spread over many, and where a row has to be compared with its peers, `conclude`
does so on what was seen. A *corpus check* asks the corpus whatever it wants: who is similar to whom, how a file was decoded.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import JsonValue

from truetune.core.config import CheckChoices, Policy
from truetune.core.records import Finding, RowRef, Severity, TaskProfile
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.corpus import Corpus, Fault
from truetune.stages.data.reading.json_values import TEXT_BEFORE_FAULT
from truetune.stages.data.rows.row import Row

S_co = TypeVar("S_co", covariant=True)
"""What a row check sees. Covariant although `conclude` takes it: the registry gives each check its own sightings."""


@dataclass(frozen=True)
class Threshold:
    """A number that a check decides by, and where it comes from."""

    name: str
    value: float
    source: str


@dataclass(frozen=True)
class Ways:
    """What may be done with the rows of a check's findings.

    Attributes:
        policy: what is done where the config says nothing. `drop` then takes the rows of findings that block only: the check
            itself was not sure enough of the others.
        choices: what the config may say.
        notes_are_lists: a `note` of this check says where to look and accuses no row: no policy takes its rows, no data test
            counts them, and no configured severity raises it.
    """

    policy: Policy
    choices: CheckChoices
    notes_are_lists: bool = False


KEPT = Ways("keep", CheckChoices(("keep", "drop", "quarantine"), may_be_off=True))
"""Reported and kept: whether the row is worth having is the user's to say."""
LISTED = Ways("keep", CheckChoices(("keep", "drop", "quarantine"), may_be_off=True), notes_are_lists=True)
"""Reported and kept; rows that are worth a look are listed beside those that are named."""
DROPPED = Ways("drop", CheckChoices(("drop", "keep", "quarantine"), may_be_off=True))
"""Training on the row does harm."""
DROPPED_WHERE_SURE = Ways("drop", CheckChoices(("drop", "keep", "quarantine"), may_be_off=True), notes_are_lists=True)
"""Training on the row does harm; what is only noted may be sound."""
KEPT_OR_REDACTED = Ways("keep", CheckChoices(("keep", "redact", "drop", "quarantine"), may_be_off=True))
DROPPED_OR_REDACTED = Ways("drop", CheckChoices(("drop", "redact", "keep", "quarantine"), may_be_off=True))
"""What was found can be replaced by a placeholder."""
ONE_KEPT = Ways("keep-first", CheckChoices(("keep-first", "keep", "drop", "quarantine"), may_be_off=True))
"""Of rows that repeat each other one is enough."""
NEVER_A_ROW = Ways("drop", CheckChoices(("drop", "quarantine"), may_be_off=False))
"""The record cannot become a row that is trained on."""
NO_ROWS = Ways("keep", CheckChoices(("keep",), may_be_off=True))
"""The finding is about the data as a whole; its rows are examples."""


@dataclass(frozen=True)
class Described:
    """What is said about one code, in the reference and to the config.

    Attributes:
        code: as it stands in findings.
        severity: of its findings, where the finding itself does not say less.
        claim: what holds where nothing is found.
        ways: what may be done.
        thresholds: what it decides by.
    """

    code: str
    severity: Severity
    claim: str
    ways: Ways
    thresholds: tuple[Threshold, ...] = ()


@dataclass(frozen=True, kw_only=True)
class About:
    """What is said of a check.

    Attributes:
        code: stable; a code that ends in `.*` stands for one code for each of `kinds`.
        severity: of its findings, where the finding itself does not say less.
        claim: what it finds, in one sentence.
        fix: what the user can do.
        thresholds: what it decides by.
        ways: what may be done with the rows.
        kinds: what the `*` of a code stands for.
    """

    code: str
    severity: Severity
    claim: str
    fix: str
    thresholds: tuple[Threshold, ...] = ()
    ways: Ways = KEPT
    kinds: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes that its findings have."""
        return tuple(self.code.replace("*", kind) for kind in self.kinds) or (self.code,)


@dataclass(frozen=True, kw_only=True)
class Check(About):
    """One function over the corpus that looks for one fault. `find` gives the findings."""

    find: Callable[[Corpus], Iterable[Finding]]


def _mark(fault: Fault) -> int:
    """The character of the excerpt at which the fault stands: masking and closing up white space may have moved it."""
    before = min((fault.column or 1) - 1, TEXT_BEFORE_FAULT)
    return len(excerpt(f"{fault.text[:before]}|")) - 1


class Sightings(Generic[S_co]):
    """What a row check saw: pairs of a position in `corpus.rows` and the sighting, in the order of the rows."""

    __slots__ = ("_positions", "_values")

    def __init__(self) -> None:
        """Nothing has been seen; what is, is kept in eight bytes a position and one reference a sighting."""
        self._positions = array("q")
        self._values: list[S_co] = []

    def add(self, position: int, sighting: S_co) -> None:  # type: ignore[misc]
        """One more, at a later position."""
        self._positions.append(position)
        self._values.append(sighting)

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[tuple[int, S_co]]:
        return zip(self._positions, self._values, strict=True)

    def values(self) -> list[S_co]:
        """The sightings without their positions."""
        return self._values

    @classmethod
    def joined(cls, parts: Iterable[Sightings[S_co]]) -> Sightings[S_co]:
        """The sightings of several shards, one shard after another."""
        whole = cls()
        for part in parts:
            whole._positions.extend(part._positions)
            whole._values.extend(part._values)
        return whole


@dataclass(frozen=True, kw_only=True)
class RowCheck(About, Generic[S_co]):
    """One function over one row that looks for one fault.

    Attributes:
        look: what is to be remembered of a row, None for nothing. A pure function, and its result plain and small: it may run in
            another process. Checks that share one `look` function share its work.
        conclude: the findings, from what was seen in all rows.
    """

    look: Callable[[Row, TaskProfile], S_co | None]
    conclude: Callable[[Corpus, Sightings[S_co]], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Said:
    """A sighting that is all that a finding has to say: the message, and the evidence, masked already."""

    message: str
    evidence: Mapping[str, JsonValue]


def say_each(code: str, severity: Severity, fix: str) -> Callable[[Corpus, Sightings[Said]], Iterable[Finding]]:
    """A `conclude` for the checks that need no peers: each sighting is a finding about its row."""

    def conclude(corpus: Corpus, sightings: Sightings[Said]) -> Iterable[Finding]:
        for position, said in sightings:
            yield Finding(
                code=code,
                severity=severity,
                message=said.message,
                rows=corpus.refs([position]),
                evidence=dict(said.evidence),
                fix=fix,
            )

    return conclude


def fault_findings(code: str, fix: str) -> Callable[[Corpus], Iterable[Finding]]:
    """A `find` for the record checks: the faults that were met while the records were read, as findings."""

    def find(corpus: Corpus) -> Iterable[Finding]:
        for fault in (*corpus.faults, *corpus.held_out_faults):
            if fault.code == code:
                evidence: dict[str, JsonValue] = {"text": excerpt(fault.text)} if fault.text else {}
                yield Finding(
                    code=code,
                    severity="block",
                    message=fault.message,
                    rows=(RowRef(file=fault.file, line=fault.line),),
                    column=fault.column,
                    evidence=evidence if fault.column is None or not fault.text else {**evidence, "mark": _mark(fault)},
                    fix=fix,
                )

    return find
