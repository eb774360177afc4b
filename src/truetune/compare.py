"""Two runs side by side: what changed, what moved, and is the difference real?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from truetune.core.errors import EvidenceError, UsageError
from truetune.core.records import (
    Artifact,
    BaseRecord,
    Comparison,
    ConfigChange,
    DataRecord,
    EvaluationRecord,
    RunComparison,
    RunDifference,
    TimeDifference,
    TrainRecord,
    VerdictRecord,
)
from truetune.core.units import p_value, percent, points, points_between
from truetune.evidence.run_folder import RunFolder
from truetune.stages.evaluate import scoring
from truetune.stages.evaluate.outputs import Choice, Line, Output, from_jsonl
from truetune.stages.evaluate.statistics import compare_paired, mean

ALPHA = 0.05
NEGLIGIBLE = 0.05
"""A difference whose whole 95 % interval lies within five points is called none. Ours: below what a test of 100-200 items can
show (docs/explanation/evaluation.md)."""

TUNED = "tuned_adapter"
_COMPARED = (("test", scoring.TASK_SUCCESS), ("gold", scoring.TASK_SUCCESS), ("general_knowledge", scoring.ACCURACY))
_STAGES = ("data", "plan", "train", "evaluate")


def compare(run_a: RunFolder, run_b: RunFolder) -> RunComparison:
    """What run b changed against run a.

    Raises:
        UsageError: a run was not evaluated, or the two share no test item.
        EvidenceError: a record or an answer file is damaged.
    """
    sides = _Side(run_a), _Side(run_b)
    a, b = sides
    if a.content.keys().isdisjoint(b.content):
        raise UsageError(
            "usage.no_shared_items",
            f"runs {run_a.run_id} and {run_b.run_id} share no test item",
            why="their test splits were made from different data, so their scores answer different questions",
            fix="evaluate both on the same test: name it as `data.test` in truetune.yaml, then `truetune run`",
        )
    differences = tuple(_differences(a, b))
    changes = tuple(_changes(a.settings, b.settings))
    return RunComparison(
        run_a=run_a.run_id,
        run_b=run_b.run_id,
        config_changes=changes,
        base_same=_same([s.base.weights.digest if s.base else None for s in sides]),
        data_same=_same([s.data.curated.digest if s.data else None for s in sides]),
        splits_same=_splits_same(a.data, b.data),
        adapter_same=_same([s.train.adapter.digest if s.train else None for s in sides]),
        differences=differences,
        only_a=len(a.content.keys() - b.content.keys()),
        only_b=len(b.content.keys() - a.content.keys()),
        times=tuple(_times(a, b)),
        verdict_a=a.verdict.verdict if a.verdict else None,
        verdict_b=b.verdict.verdict if b.verdict else None,
        summary=_summary(changes, differences),
    )


class _Side:
    """One run's records, settings and samples."""

    def __init__(self, run: RunFolder) -> None:
        evaluation = run.read_record("evaluate", EvaluationRecord)
        if evaluation is None:
            raise UsageError(
                "usage.not_evaluated",
                f"run {run.run_id} has not been evaluated",
                why="only scores on the same items can be compared",
                fix="truetune run",
                where=str(run.record_path("evaluate")),
            )
        self.run = run
        self.evaluation = evaluation
        self.base = run.read_record("base", BaseRecord)
        self.data = run.read_record("data", DataRecord)
        self.train = run.read_record("train", TrainRecord)
        self.verdict = run.read_record("verdict", VerdictRecord)
        self.settings = _settings(run)
        outputs = [line for line in _lines(run, evaluation.generations, Output) if line.candidate == TUNED]
        choices = [line for line in _lines(run, evaluation.choices, Choice) if line.candidate == TUNED]
        self.samples = scoring.collect(evaluation.task, outputs, choices)
        self.content = {o.item_id: (o.prompt, o.expected) for o in outputs if o.suite == "test"}
        self._everything = {(o.suite, o.item_id): (o.prompt, o.expected) for o in outputs}
        self._everything |= {(c.suite, c.item_id): (c.question, str(c.answer)) for c in choices}

    def asks_the_same(self, other: _Side, suite: str, item_id: str) -> bool:
        """Do both runs mean the same question by this id?"""
        key = (suite, item_id)
        return key in self._everything and self._everything[key] == other._everything.get(key)

    def stage_seconds(self, stage: str) -> float | None:
        """How long a stage took when it ran; None where it was taken over from another run."""
        seconds = (self.run.stage_entry(stage) or {}).get("seconds")
        return float(seconds) if isinstance(seconds, int | float) else None


def _lines(run: RunFolder, artifact: Artifact | None, kind: type[Line]) -> list[Line]:
    if artifact is None:
        return []
    try:
        return from_jsonl(run.store.get_bytes(artifact.digest), kind)
    except ValueError as error:
        raise _damaged(f"{artifact.path} of run {run.run_id}", run.store.path(artifact.digest)) from error


def _settings(run: RunFolder) -> dict[str, JsonValue]:
    path = run.path / "config.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(f"config.json of run {run.run_id}", path) from error
    return {key: value[key] for key in ("config", "contract", "files") if key in value}


def _damaged(what: str, path: Path) -> EvidenceError:
    return EvidenceError(
        "evidence.record",
        f"{what} is not what truetune wrote",
        fix="restore it from a copy, or make the run again: truetune run --new",
        where=str(path),
    )


def _changes(a: Mapping[str, JsonValue], b: Mapping[str, JsonValue]) -> Iterator[ConfigChange]:
    before, after = dict(_flat(a, "")), dict(_flat(b, ""))
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield ConfigChange(key=key, a=before.get(key), b=after.get(key))


def _flat(settings: Mapping[str, JsonValue], prefix: str) -> Iterator[tuple[str, JsonValue]]:
    """Leaves by dotted key; lists are leaves, because their order means something."""
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _differences(a: _Side, b: _Side) -> Iterator[RunDifference]:
    for suite, metric in _COMPARED:
        before, after = (side.samples.get((TUNED, suite, metric)) for side in (a, b))
        if before is None or after is None:
            continue
        shared = sorted(i for i in before.values.keys() & after.values.keys() if a.asks_the_same(b, suite, i))
        if not shared:
            continue
        old, new = [before.values[i] for i in shared], [after.values[i] for i in shared]
        paired = compare_paired(new, old, [before.clusters[i] for i in shared], a.evaluation.seed)
        comparison = Comparison(
            candidate=f"{b.run.run_id} {TUNED}",
            reference=f"{a.run.run_id} {TUNED}",
            suite=suite,
            metric=metric,
            n=paired.n,
            difference=round(paired.difference, 9),
            interval=paired.interval,
            p_value=paired.p_value,
            test=paired.test,
            better=paired.better,
            worse=paired.worse,
        )
        yield _judged(comparison, mean(old), mean(new))


def _judged(c: Comparison, a: float, b: float) -> RunDifference:
    low, high = c.interval.low, c.interval.high
    flips = f"{c.better} items better, {c.worse} worse, {p_value(c.p_value)}"
    if c.p_value < ALPHA:
        return RunDifference(comparison=c, a=round(a, 9), b=round(b, 9), real="yes", reason=f"{flips}; asked: below {ALPHA:g}")
    if low >= -NEGLIGIBLE and high <= NEGLIGIBLE:
        reason = f"the whole interval ({points_between(low, high)}) lies within {percent(NEGLIGIBLE)}"
        return RunDifference(comparison=c, a=round(a, 9), b=round(b, 9), real="no", reason=reason)
    reason = f"{flips}; the difference may be anything from {points_between(low, high)}"
    return RunDifference(comparison=c, a=round(a, 9), b=round(b, 9), real="cannot tell", reason=reason)


def _times(a: _Side, b: _Side) -> Iterator[TimeDifference]:
    for stage in _STAGES:
        before, after = a.stage_seconds(stage), b.stage_seconds(stage)
        if before is not None or after is not None:
            yield TimeDifference(what=stage, a_s=before, b_s=after)
    if a.train and b.train:
        yield TimeDifference(what="training steps", a_s=a.train.wall_s, b_s=b.train.wall_s)
    for name in sorted({c.name for side in (a, b) for c in side.evaluation.candidates}, key=scoring.CANDIDATE_ORDER.index):
        before, after = (next((c.seconds for c in side.evaluation.candidates if c.name == name), None) for side in (a, b))
        yield TimeDifference(what=f"evaluating {name}", a_s=before, b_s=after)


def _splits_same(a: DataRecord | None, b: DataRecord | None) -> dict[str, bool]:
    if a is None or b is None:
        return {}
    return {name: a.splits[name].digest == b.splits[name].digest for name in a.splits if name in b.splits}


def _same(digests: Sequence[str | None]) -> bool | None:
    """Equal or not; None where a run does not have the record."""
    return None if None in digests else len(set(digests)) == 1


def _summary(changes: tuple[ConfigChange, ...], differences: tuple[RunDifference, ...]) -> str:
    changed = ", ".join(f"{c.key} {json.dumps(c.a)} → {json.dumps(c.b)}" for c in changes[:3]) or "no setting"
    more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
    on_test = next((d for d in differences if d.comparison.suite == "test"), None)
    if on_test is None:
        return f"Changed: {changed}{more}. Nothing could be compared on the test."
    verdicts = {
        "yes": "a real difference",
        "no": "no difference worth the name",
        "cannot tell": "not enough to tell a difference",
    }
    return (
        f"Changed: {changed}{more}. On {on_test.comparison.n} shared test items {percent(on_test.a)} → {percent(on_test.b)} "
        f"({points(on_test.comparison.difference)}): {verdicts[on_test.real]}."
    )
