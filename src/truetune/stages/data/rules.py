"""What the config says of each check, and what that makes of its findings: severity, policy, data tests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from truetune.core.config import CheckConfig, Policy, covers
from truetune.core.records import Finding, Severity
from truetune.core.units import plural
from truetune.stages.data.checks.base import KEPT
from truetune.stages.data.checks.registry import described


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one code.

    Attributes:
        severity: of all its findings; None leaves each as the check gave it.
        policy: what is done with the rows.
        is_named: the config names the policy, so that it is meant for every finding, not for those that block only.
        max_frac: the data test, None where there is none.
        tested_as: the key of the config that sets `max_frac`; codes under one prefix are tested together.
        notes_are_lists: notes say where to look and accuse no row.
    """

    severity: Severity | Literal["off"] | None
    policy: Policy
    is_named: bool
    max_frac: float | None
    tested_as: str
    notes_are_lists: bool

    def accuses(self, finding: Finding) -> bool:
        """Does this finding, as the check gave it, say that something is wrong with each of its rows?"""
        return not (self.notes_are_lists and finding.severity == "note")

    def acts_on(self, finding: Finding) -> bool:
        """Does the policy take rows of this finding, as the check gave it?"""
        if self.severity == "off" or self.policy == "keep" or not self.accuses(finding):
            return False
        return self.is_named or self.policy == "keep-first" or finding.severity == "block"


class Rules:
    """The rule of every code, the checks' own where the config says nothing."""

    def __init__(self, said: Mapping[str, CheckConfig]) -> None:
        """`said` is `data.checks`; of several keys that cover a code the longest that says something decides, field by field."""
        self._said = sorted(said.items(), key=lambda item: (item[0].endswith(".*"), -len(item[0])))
        self._rules: dict[str, Rule] = {}

    def of(self, code: str) -> Rule:
        """The rule of a code."""
        rule = self._rules.get(code)
        if rule is None:
            rule = self._rules[code] = self._made(code)
        return rule

    def _made(self, code: str) -> Rule:
        mine = [(key, said) for key, said in self._said if covers(key, code)]
        severity = next((said.severity for _, said in mine if said.severity is not None), None)
        policy = next((said.policy for _, said in mine if said.policy is not None), None)
        tested_as, max_frac = next(((key, said.max_frac) for key, said in mine if said.max_frac is not None), (code, None))
        known = described().get(code)
        ways = known.ways if known else KEPT
        return Rule(severity, policy or ways.policy, policy is not None, max_frac, tested_as, ways.notes_are_lists)

    def applied(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings as the project sees them: without those that are off, the others as severe as was asked for."""
        kept = []
        for finding in findings:
            rule = self.of(finding.code)
            severity = rule.severity
            if severity is None or severity == finding.severity or (severity != "off" and not rule.accuses(finding)):
                kept.append(finding)
            elif severity != "off":
                kept.append(finding.model_copy(update={"severity": severity}))
        return kept

    def blocking(self, findings: Iterable[Finding]) -> Counter[str]:
        """Blocking findings by code, without those whose number a data test judges."""
        return Counter(f.code for f in findings if f.severity == "block" and self.of(f.code).max_frac is None)

    def failed_tests(self, findings: Iterable[Finding], rows: int, held_out: Collection[str]) -> list[str]:
        """Each data test that does not hold, in words.

        Args:
            findings: after `applied`.
            rows: of the sources, readable or not.
            held_out: files whose rows do not count, as findings name them.
        """
        places: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
        bounds: dict[str, float] = {}
        for finding in findings:
            rule = self.of(finding.code)
            if rule.max_frac is not None and rule.accuses(finding):
                bounds[rule.tested_as] = rule.max_frac
                places[rule.tested_as].update((row.file, row.line) for row in finding.rows if row.file not in held_out)
        return [
            f"{key}: {len(places[key]):,} of {plural(rows, 'row')} ({len(places[key]) / rows:.2%}); "
            f"max_frac allows {bounds[key]:.2%}"
            for key in sorted(bounds)
            if rows and len(places[key]) > bounds[key] * rows
        ]
