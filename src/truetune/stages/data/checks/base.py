"""What a check is: one fault, one code, one claim, its thresholds with their sources, one function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from truetune.core.records import Finding, RowRef, Severity
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.sensitive import excerpt


@dataclass(frozen=True)
class Threshold:
    """A number that a check decides by, and where it comes from."""

    name: str
    value: float
    source: str


@dataclass(frozen=True)
class Check:
    """One function that looks for one fault.

    Attributes:
        code: stable; a code that ends in `.*` stands for one code an entity.
        severity: of its findings, where the finding itself does not say less.
        claim: what it finds, in one sentence.
        fix: what the user can do.
        find: the findings over a corpus.
        thresholds: what it decides by.
    """

    code: str
    severity: Severity
    claim: str
    fix: str
    find: Callable[[Corpus], Iterable[Finding]]
    thresholds: tuple[Threshold, ...] = ()


def fault_findings(code: str, fix: str) -> Callable[[Corpus], Iterable[Finding]]:
    """A `find` for the record checks: the faults that were met while the records were read, as findings."""

    def find(corpus: Corpus) -> Iterable[Finding]:
        for fault in (*corpus.faults, *corpus.held_out_faults):
            if fault.code == code:
                yield Finding(
                    code=code,
                    severity="block",
                    message=fault.message,
                    rows=(RowRef(file=fault.file, line=fault.line),),
                    column=fault.column,
                    evidence={"text": excerpt(fault.text)} if fault.text else {},
                    fix=fix,
                )

    return find
