"""Things about an evaluation that make its numbers doubtful, or that the numbers alone do not show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from scipy.stats import norm

from truetune.core.records import Finding, FrozenTestInfo, TaskProfile
from truetune.core.units import percent
from truetune.stages.evaluate.facts import TUNED
from truetune.stages.evaluate.few_shot import Selection
from truetune.stages.evaluate.metrics import normalised_label
from truetune.stages.evaluate.outputs import Output

NEVER_ENDS_FRAC = 0.05
"""Ours: a model that learned where its answers end runs into the token limit rarely."""

MANY_LOOKS = 10
"""Ours: from here on the best of independent looks is expected to be 1.5 standard errors too good (`expected_best`)."""

FORGOTTEN_CLASS_ITEMS = 3
"""A label with fewer items on the test may be missed by chance."""


def outputs_identical(outputs: Iterable[Output]) -> list[Finding]:
    """Tuned and base giving the very same outputs to everything: the adapter was not applied, or answers were mixed up."""
    sides: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    for output in outputs:
        sides[output.candidate][output.suite, output.item_id] = output.output
    tuned = sides[TUNED]
    if not tuned or tuned != sides["base_model"]:
        return []
    return [
        Finding(
            code="eval.outputs_identical",
            severity="warn",
            message=f"the tuned model and the base model gave the same {len(tuned)} outputs, to the letter",
            evidence={"candidate": TUNED, "reference": "base_model", "outputs": len(tuned)},
            fix="check that the adapter learned something (`truetune diagnose`) and is the recorded one (`truetune verify`)",
        )
    ]


def few_shot_reduced(selection: Selection) -> list[Finding]:
    """Fewer examples in the few-shot prompt than were asked for."""
    if not selection.reduced:
        return []
    shown, asked = len(selection.rows), selection.asked_for
    without = "so there is no few-shot base to compare with" if not shown else "so the few-shot base is weaker than it could be"
    return [
        Finding(
            code="eval.few_shot_reduced",
            severity="note" if shown else "warn",
            message=f"{shown} of {asked} few-shot examples fit into the context, {without}",
            evidence={"shown": shown, "asked_for": asked},
            fix="set evaluate.few_shot_examples lower, or use a base with a longer context",
        )
    ]


def never_ends(outputs: Iterable[Output]) -> list[Finding]:
    """Tuned answers that run into the token limit: a lost end token, or answers longer than any in training."""
    mine = [o for o in outputs if o.candidate == TUNED and o.suite == "test"]
    cut = [o.item_id for o in mine if not o.finished]
    if not mine or len(cut) / len(mine) <= NEVER_ENDS_FRAC:
        return []
    return [
        Finding(
            code="eval.never_ends",
            severity="warn",
            message=f"{percent(len(cut) / len(mine))} of the tuned model's {len(mine)} answers do not end by themselves",
            evidence={"items": list(cut[:20]), "outputs": len(mine), "unfinished": len(cut)},
            fix="check that the end token is trained (the report shows the tokens), or set evaluate.max_new_tokens higher",
        )
    ]


def class_never_predicted(task: TaskProfile, outputs: Iterable[Output]) -> list[Finding]:
    """Labels that are in the test several times and that the tuned model never gives."""
    if task.shape != "labels":
        return []
    mine = [o for o in outputs if o.candidate == TUNED and o.suite == "test"]
    wanted = Counter(normalised_label(o.expected) for o in mine)
    given = {normalised_label(o.output) for o in mine}
    lost = sorted(label for label, count in wanted.items() if count >= FORGOTTEN_CLASS_ITEMS and label not in given)
    if not lost:
        return []
    return [
        Finding(
            code="eval.class_never_predicted",
            severity="warn",
            message=f"the tuned model never answers {', '.join(lost[:5])}; the test expects {sum(wanted[x] for x in lost)} such",
            evidence={"labels": list(lost), "items": {label: wanted[label] for label in lost}},
            fix="look at these labels in the training rows: too few, or contradicted by others",
        )
    ]


def looked_often(looked: FrozenTestInfo | None) -> list[Finding]:
    """A test that was looked at so often that the best of the models it has seen looks better than it is."""
    if looked is None or looked.looks < MANY_LOOKS:
        return []
    return [
        Finding(
            code="eval.test_looked_at_often",
            severity="warn",
            message=f"the frozen test has been looked at {looked.looks} times since it was sealed on {looked.sealed_at[:10]}: "
            "the best of so many results is too good by about "
            f"{expected_best(looked.looks):.1f} standard errors, by luck alone",
            evidence={"looks": looked.looks, "sealed_at": looked.sealed_at, "seals": looked.seals},
            fix="choose between models on the validation split; for the release, name a test that no model has met "
            "(frozen_test_set), or set another `seed` and seal anew: truetune data reseal",
        )
    ]


def expected_best(looks: int) -> float:
    """The mean of the largest of so many independent standard normal numbers.

    Source: Blom 1958, "Statistical Estimates and Transformed Beta-Variables": quantile (k - 0.375) / (k + 0.25) for the largest
    of k; within 1 % of the exact value from k = 2 on.
    """
    return float(norm.ppf((looks - 0.375) / (looks + 0.25)))


def all_alarms(task: TaskProfile, outputs: Sequence[Output], selection: Selection | None) -> tuple[Finding, ...]:
    """Every alarm that this evaluation raises."""
    reduced = few_shot_reduced(selection) if selection is not None else []
    return (*outputs_identical(outputs), *reduced, *never_ends(outputs), *class_never_predicted(task, outputs))
