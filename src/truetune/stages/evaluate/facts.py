"""What criteria are decided from, and the line that a decision is written on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from truetune.core.contract import METRIC_DIRECTIONS, Contract, Criterion
from truetune.core.records import Comparison, CriterionResult, CriterionState, DriftResult, Interval
from truetune.core.units import percent
from truetune.stages.evaluate.diversity import Text
from truetune.stages.evaluate.scoring import Key, Sample

TUNED = "tuned_adapter"


@dataclass(frozen=True)
class Facts:
    """All that criteria are decided from.

    Attributes:
        contract: what must hold.
        samples: item values by candidate, suite and metric.
        comparisons: the paired differences, as they are in the record.
        drift: what feeding the same ids gave.
        off_task: tuned and base outputs on off-task prompts, cut to equal length.
        chance: accuracy of guessing on general knowledge.
        seed: of every resampling.
    """

    contract: Contract
    samples: Mapping[Key, Sample]
    comparisons: Sequence[Comparison]
    drift: Sequence[DriftResult]
    off_task: tuple[Sequence[Text], Sequence[Text]]
    chance: float
    seed: int

    @property
    def gate_level(self) -> float:
        """Two-sided level whose ends are one-sided bounds at the contract's alpha."""
        return 1 - 2 * self.contract.release_rule.alpha

    @property
    def sure(self) -> str:
        """The one-sided confidence in words."""
        return percent(1 - self.contract.release_rule.alpha)

    @property
    def merged(self) -> DriftResult | None:
        """The merged model against the adapter, if it was compared."""
        return next((d for d in self.drift if d.candidate == "merged_model"), None)

    def sample(self, candidate: str, suite: str, metric: str) -> Sample | None:
        """One metric's values, None where nothing could be told."""
        found = self.samples.get((candidate, suite, metric))
        return found if found is not None and found.values else None

    def comparison(self, candidate: str, reference: str, suite: str, metric: str) -> Comparison | None:
        """One paired difference, if both sides were measured."""
        wanted = (candidate, reference, suite, metric)
        return next((c for c in self.comparisons if (c.candidate, c.reference, c.suite, c.metric) == wanted), None)


@dataclass(frozen=True)
class Measured:
    """A number, its interval and how many items it is from."""

    value: float
    interval: Interval | None
    n: int


@dataclass(frozen=True)
class Line:
    """A line of the contract before it is decided."""

    name: str
    criterion: Criterion
    suite: str
    candidate: str = TUNED
    direction: Literal["at_least", "at_most"] | None = None

    def unmeasured(self, reason: str, would_settle: str = "") -> CriterionResult:
        """Nothing could be told."""
        return self._result("not_measured", None, ("not measured", reason, would_settle))

    def decided(
        self, state: CriterionState, measured: Measured, decided_by: str, reason: str, would_settle: str = ""
    ) -> CriterionResult:
        """A decision; `would_settle` is kept only where the decision is still open."""
        return self._result(state, measured, (decided_by, reason, would_settle if state == "not_measured" else ""))

    def _result(self, state: CriterionState, measured: Measured | None, words: tuple[str, str, str]) -> CriterionResult:
        decided_by, reason, would_settle = words
        return CriterionResult(
            name=self.name,
            tier=self.criterion.tier,
            state=state,
            candidate=self.candidate,
            suite=self.suite,
            value=round(measured.value, 9) + 0.0 if measured else None,
            bound=self.criterion.bound,
            direction=self.direction or METRIC_DIRECTIONS[self.name],
            interval=measured.interval if measured else None,
            n=measured.n if measured else 0,
            decided_by=decided_by,
            reason=reason,
            would_settle=would_settle,
        )
