"""3. What changed for users: the items that flipped, worst first, and every candidate's words for every item."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from truetune.core.records import Comparison
from truetune.report import wording
from truetune.report.bundle import Output, ReportBundle
from truetune.report.diffing import Segment, word_diff
from truetune.report.sections.scores import ON_TASK, PRIMARY, ScorePlot, score_plots
from truetune.report.shown import Shown

TUNED = "tuned_adapter"
MERGED = "merged_model"
_REFERENCES = ("few_shot_base", "base_model")
_ORDER = {"worse": 0, "wrong": 1, "better": 2, "right": 3, "unscored": 4}
_OUTCOMES = {
    "worse": "got worse",
    "better": "got better",
    "wrong": "still not right",
    "right": "still right",
    "unscored": "not scored",
}


@dataclass(frozen=True)
class OutputView:
    """One candidate's answer to one item."""

    candidate: str
    name: str
    text: str
    score: str
    notes: str


@dataclass(frozen=True)
class ItemView:
    """An item, what became of it, and every candidate's answer to it."""

    item_id: str
    outcome: str
    word: str
    prompt: str
    expected: str
    outputs: tuple[OutputView, ...]


@dataclass(frozen=True)
class Flip:
    """An item before and after, with what differs marked."""

    item: ItemView
    before: tuple[Segment, ...]
    after: tuple[Segment, ...]
    before_score: str
    after_score: str


@dataclass(frozen=True)
class ComparisonRow:
    """A paired difference in words."""

    name: str
    about: str
    difference: str
    interval: str
    p_value: str
    test: str
    n: str
    better: int
    worse: int
    real: bool


@dataclass(frozen=True)
class ChangesView:
    """Flips against the strongest baseline. `*_left_out` items are not shown here; `where` says where all of them are."""

    reference: str
    tally: tuple[tuple[str, str, int], ...]
    comparisons: tuple[ComparisonRow, ...]
    plots: tuple[ScorePlot, ...]
    worse: tuple[Flip, ...]
    better: tuple[Flip, ...]
    worse_left_out: int
    better_left_out: int
    items: tuple[ItemView, ...]
    items_total: int
    merged_differ: int | None
    where: str


def view(bundle: ReportBundle, shown: Shown) -> ChangesView | None:
    """The flips, or None where nothing was evaluated."""
    if bundle.evaluation is None:
        return None
    scores = bundle.evaluation.scores
    answers = _by_item(bundle.outputs)
    present = {o.candidate for o in bundle.outputs}
    reference = next((name for name in _REFERENCES if name in present), "")
    items = _sorted(answers, reference) if reference else []
    outcomes = [_outcome(item, reference) for item in items]
    worse, better = ([i for i, o in zip(items, outcomes, strict=True) if o == kind] for kind in ("worse", "better"))
    limits = shown.limits

    def flips(some: list[dict[str, Output]]) -> tuple[Flip, ...]:
        return tuple(_flip(item, reference, shown) for item in some)

    return ChangesView(
        reference=wording.candidate_name(reference) if reference else "",
        tally=tuple((kind, word, outcomes.count(kind)) for kind, word in _OUTCOMES.items() if kind in outcomes),
        comparisons=tuple(comparison_row(c, bundle) for c in bundle.evaluation.comparisons if c.suite in ON_TASK),
        plots=score_plots([s for s in scores if s.suite in ON_TASK and (s.suite, s.metric) != PRIMARY], shown),
        worse=flips(worse[: limits.flips]),
        better=flips(better[: limits.flips // 2]),
        worse_left_out=max(0, len(worse) - limits.flips),
        better_left_out=max(0, len(better) - limits.flips // 2),
        items=tuple(_item(item, reference, shown) for item in items[: limits.items]),
        items_total=len(items),
        merged_differ=_differing(answers.values()),
        where=f"the file of outputs, {bundle.evaluation.generations.digest[:19]}… (section 8, Outputs)",
    )


def comparison_row(comparison: Comparison, bundle: ReportBundle) -> ComparisonRow:
    """A paired difference as a table row; it is real where its p-value is below the contract's alpha."""
    share = wording.is_fraction(comparison.metric)
    interval = comparison.interval
    write = wording.points if share else wording.number
    alpha = bundle.contract.release_rule.alpha if bundle.contract else 0.05
    return ComparisonRow(
        name=f"{wording.candidate_name(comparison.candidate)} vs {wording.candidate_name(comparison.reference)}",
        about=f"{wording.metric_name(comparison.metric)}, {wording.suite_name(comparison.suite)}",
        difference=write(comparison.difference),
        interval=f"{write(interval.low)} to {write(interval.high)}",
        p_value=wording.p_value(comparison.p_value),
        test=wording.test_name(comparison.test),
        n=f"{comparison.n:,}",
        better=comparison.better,
        worse=comparison.worse,
        real=comparison.p_value < alpha,
    )


def _by_item(outputs: Sequence[Output]) -> dict[tuple[str, str], dict[str, Output]]:
    items: dict[tuple[str, str], dict[str, Output]] = {}
    for output in outputs:
        if output.suite in ON_TASK:
            items.setdefault((output.suite, output.item_id), {})[output.candidate] = output
    return items


def _sorted(items: dict[tuple[str, str], dict[str, Output]], reference: str) -> list[dict[str, Output]]:
    whole = [outputs for outputs in items.values() if reference in outputs and TUNED in outputs]
    return sorted(whole, key=lambda o: (_ORDER[_outcome(o, reference)], _gain(o, reference), o[TUNED].suite, o[TUNED].item_id))


def _gain(outputs: dict[str, Output], reference: str) -> float:
    before, after = outputs[reference].score, outputs[TUNED].score
    return 0.0 if before is None or after is None else after - before


def _outcome(outputs: dict[str, Output], reference: str) -> str:
    before, after = outputs[reference].score, outputs[TUNED].score
    if before is None or after is None:
        return "unscored"
    if after != before:
        return "better" if after > before else "worse"
    return "right" if after >= 1.0 else "wrong"


def _flip(outputs: dict[str, Output], reference: str, shown: Shown) -> Flip:
    before, after = outputs[reference], outputs[TUNED]
    left, right = word_diff(shown.words(before.output), shown.words(after.output))
    return Flip(_item(outputs, reference, shown), left, right, _score(before), _score(after))


def _item(outputs: dict[str, Output], reference: str, shown: Shown) -> ItemView:
    tuned, outcome = outputs[TUNED], _outcome(outputs, reference)
    return ItemView(
        item_id=shown.text(tuned.item_id),
        outcome=outcome,
        word=_OUTCOMES[outcome],
        prompt=shown.words(tuned.prompt),
        expected=shown.words(tuned.expected) if tuned.expected is not None else "",
        outputs=tuple(_output(outputs[c], shown) for c in wording.CANDIDATES if c in outputs),
    )


def _output(output: Output, shown: Shown) -> OutputView:
    notes = [] if output.finished else ["did not end by itself"]
    if output.valid is False:
        notes.append("not valid for the schema")
    name = wording.candidate_name(output.candidate)
    return OutputView(output.candidate, name, shown.words(output.output), _score(output), ", ".join(notes))


def _score(output: Output) -> str:
    if output.score is None:
        return "not scored"
    if output.score in (0.0, 1.0):
        return "right" if output.score else "not right"
    return f"score {output.score:.2f}"


def _differing(items: Iterable[dict[str, Output]]) -> int | None:
    """On how many items the merged model's words are not the adapter's; None where one of them was not asked."""
    pairs = [(o[TUNED].output, o[MERGED].output) for o in items if TUNED in o and MERGED in o]
    return sum(a != b for a, b in pairs) if pairs else None
