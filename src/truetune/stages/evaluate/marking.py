"""Mark one answer: the line that is kept for it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter

from truetune.core.ports import Generation
from truetune.core.records import TaskProfile
from truetune.evidence.digests import json_digest
from truetune.stages.evaluate.instructions import followed
from truetune.stages.evaluate.metrics import has_form, judge
from truetune.stages.evaluate.outputs import Choice, Output
from truetune.stages.evaluate.suites import TASK_SUITES, Item, KnowledgeItem, Rule

_RULE: TypeAdapter[Rule] = TypeAdapter(Rule)


def mark_output(task: TaskProfile, place: tuple[str, str], item: Item, prompt: Sequence[int], generation: Generation) -> Output:
    """A generated answer with its marks; `place` is candidate and suite."""
    candidate, suite = place
    text, finished = generation.text, generation.finished
    score: float | None
    if suite in TASK_SUITES:
        judgement = judge(task, text, finished, item.expected)
        score, valid = judgement.success, judgement.valid
    else:
        score, valid = off_task_score(item.expected, text, finished), has_form(task, text, finished)
    return Output(
        candidate=candidate,
        suite=suite,
        item_id=item.item_id,
        cluster=item.cluster,
        prompt=item.prompt,
        prompt_ids_digest=json_digest(list(prompt)),
        output=text,
        finished=finished,
        new_tokens=generation.new_tokens,
        expected=item.expected,
        score=score,
        valid=valid,
    )


def mark_choice(candidate: str, suite: str, item: KnowledgeItem, log_likelihoods: Sequence[float]) -> Choice:
    """An answered multiple-choice question with its mark."""
    chosen = chosen_option(item.options, log_likelihoods)
    return Choice(
        candidate=candidate,
        suite=suite,
        item_id=item.id,
        question=item.question,
        options=item.options,
        log_likelihoods=tuple(log_likelihoods),
        answer=item.answer,
        chosen=chosen,
        score=float(chosen == item.answer),
    )


def off_task_score(expected: str, output: str, finished: bool) -> float | None:
    """Was the rule kept? None where there is none, or the output was cut off before it could be told."""
    if not expected:
        return None
    kept = followed(_RULE.validate_json(expected), output, finished)
    return None if kept is None else float(kept)


def chosen_option(options: Sequence[str], log_likelihoods: Sequence[float]) -> int:
    """The option with the highest log-likelihood per character; the first of equals.

    Source: length normalisation as in Brown et al. 2020, arXiv:2005.14165, section 2.4; there per token, here per character of
    the option, which does not depend on the tokenizer.
    """
    per_character = [value / max(1, len(option)) for value, option in zip(log_likelihoods, options, strict=True)]
    return per_character.index(max(per_character))
