"""From all answers to the record: scores, differences, diversity, criteria and alarms."""

from __future__ import annotations

from collections.abc import Sequence

from truetune.core.contract import Contract
from truetune.core.records import DiversityResult, EvaluationRecord, FrozenTestInfo, SuiteInfo, TaskProfile
from truetune.evidence.store import ObjectStore
from truetune.stages.evaluate import alarms, criteria, diversity, scoring
from truetune.stages.evaluate.facts import Facts
from truetune.stages.evaluate.outputs import Output, to_jsonl
from truetune.stages.evaluate.questions import KNOWLEDGE, OFF_TASK, Questions
from truetune.stages.evaluate.session import Session
from truetune.stages.evaluate.statistics import mean
from truetune.stages.evaluate.suites import items_file


def conclude(
    contract: Contract,
    task: TaskProfile,
    questions: Questions,
    session: Session,
    store: ObjectStore,
    looked: FrozenTestInfo | None,
    seed: int,
) -> EvaluationRecord:
    """Store the answers, work out everything that follows from them, and write it down."""
    samples = scoring.collect(task, session.outputs, session.choices)
    comparisons = scoring.comparisons(samples, seed)
    tuned, base = (_off_task(session.outputs, name) for name in ("tuned_adapter", "base_model"))
    cut = diversity.cut_to_equal_length(tuned, base)
    drift = tuple(session.drifts)
    facts = Facts(contract, samples, comparisons, drift, cut, _chance(questions), seed)
    decided = criteria.decide_all(facts)
    return EvaluationRecord(
        gate=criteria.gate(decided),
        task=task,
        decoding=questions.described(),
        suites=_suites(questions, store),
        candidates=session.candidates(),
        scores=scoring.scores(samples, seed),
        comparisons=comparisons,
        criteria=decided,
        drift=drift,
        diversity=_diversity(tuned, base, cut),
        generations=store.put_bytes("generations.jsonl", to_jsonl(session.outputs)),
        choices=store.put_bytes("choices.jsonl", to_jsonl(session.choices)),
        findings=(*alarms.all_alarms(task, session.outputs, questions.selection), *alarms.looked_often(looked)),
        seed=seed,
        frozen_test=looked,
    )


def _suites(questions: Questions, store: ObjectStore) -> tuple[SuiteInfo, ...]:
    files = {name: (len(items), items_file(items)) for name, items in questions.items.items()}
    files[KNOWLEDGE] = (len(questions.knowledge), items_file(questions.knowledge))
    return tuple(
        SuiteInfo(name=name, n=n, items=store.put_bytes(f"{name}.jsonl", content)) for name, (n, content) in files.items()
    )


def _off_task(outputs: Sequence[Output], candidate: str) -> list[Output]:
    mine = [o for o in outputs if (o.candidate, o.suite) == (candidate, OFF_TASK)]
    return sorted(mine, key=lambda output: output.item_id)


def _diversity(
    tuned: Sequence[Output], base: Sequence[Output], cut: tuple[Sequence[diversity.Text], Sequence[diversity.Text]]
) -> tuple[DiversityResult, ...]:
    return (diversity.describe("base_model", base, cut[1]), diversity.describe("tuned_adapter", tuned, cut[0]))


def _chance(questions: Questions) -> float:
    """Accuracy of guessing."""
    return mean([1 / len(item.options) for item in questions.knowledge])
