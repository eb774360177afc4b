"""What a check is: one fault, one code, one claim, its thresholds with their sources, one function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydantic import JsonValue

from truetune.core.config import CheckChoices, Policy
from truetune.core.records import Finding, RowRef, Severity
from truetune.stages.data.corpus import Corpus, Fault
from truetune.stages.data.readers import TEXT_BEFORE_FAULT
from truetune.stages.data.sensitive import excerpt


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
    """

    policy: Policy
    choices: CheckChoices


KEPT = Ways("keep", CheckChoices(("keep", "drop", "quarantine"), may_be_off=True))
"""Reported and kept: whether the row is worth having is the user's to say."""
DROPPED = Ways("drop", CheckChoices(("drop", "keep", "quarantine"), may_be_off=True))
"""Training on the row does harm."""
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


@dataclass(frozen=True)
class Check:
    """One function that looks for one fault.

    Attributes:
        code: stable; a code that ends in `.*` stands for one code for each of `kinds`.
        severity: of its findings, where the finding itself does not say less.
        claim: what it finds, in one sentence.
        fix: what the user can do.
        find: the findings over a corpus.
        thresholds: what it decides by.
        ways: what may be done with the rows.
        kinds: what the `*` of a code stands for.
    """

    code: str
    severity: Severity
    claim: str
    fix: str
    find: Callable[[Corpus], Iterable[Finding]]
    thresholds: tuple[Threshold, ...] = ()
    ways: Ways = KEPT
    kinds: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes that its findings have."""
        return tuple(self.code.replace("*", kind) for kind in self.kinds) or (self.code,)


def _mark(fault: Fault) -> int:
    """The character of the excerpt at which the fault stands: masking and closing up white space may have moved it."""
    before = min((fault.column or 1) - 1, TEXT_BEFORE_FAULT)
    return len(excerpt(f"{fault.text[:before]}|")) - 1


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
