"""Everything that will be asked, as token ids, before any weights are loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from truetune.core.chat import prompt_ids
from truetune.core.config import Config
from truetune.core.contract import Contract
from truetune.core.ports import ChatTokenizer, ChoiceItem, Decoding, Message
from truetune.core.records import TaskProfile
from truetune.evidence.curated import CuratedRow
from truetune.stages.evaluate import decoding, few_shot
from truetune.stages.evaluate.asking import ChoiceJob, GenerationJob
from truetune.stages.evaluate.suites import Item, KnowledgeItem, choice_item, knowledge_items, off_task_items, task_items

Prompts = tuple[tuple[int, ...], ...]
KNOWLEDGE = "general_knowledge"
OFF_TASK = "off_task"


@dataclass(frozen=True)
class Source:
    """The rows and settings that questions are made from."""

    config: Config
    contract: Contract
    task: TaskProfile
    train: Sequence[CuratedRow]
    test: Sequence[CuratedRow]
    gold: Sequence[CuratedRow]
    context_tokens: int


@dataclass(frozen=True)
class Questions:
    """Items and prompts by suite; `shown` are the task suites' prompts with few-shot examples, empty where there are none."""

    items: dict[str, tuple[Item, ...]]
    prompts: dict[str, Prompts]
    shown: dict[str, Prompts]
    selection: few_shot.Selection | None
    knowledge: tuple[KnowledgeItem, ...]
    choices: tuple[ChoiceItem, ...]
    on_task: Decoding
    off_task: Decoding

    def jobs(self, candidate: str) -> list[GenerationJob | ChoiceJob]:
        """What is asked of a candidate: the task of all, general knowledge and off-task prompts of base and adapter."""
        if candidate == "few_shot_base":
            return [GenerationJob(candidate, suite, prompts, self.on_task) for suite, prompts in self.shown.items()]
        jobs: list[GenerationJob | ChoiceJob] = [
            GenerationJob(candidate, suite, prompts, self.on_task) for suite, prompts in self.prompts.items() if suite != OFF_TASK
        ]
        if candidate in {"base_model", "tuned_adapter"}:
            jobs.append(ChoiceJob(candidate, KNOWLEDGE, self.choices))
            jobs.append(GenerationJob(candidate, OFF_TASK, self.prompts[OFF_TASK], self.off_task))
        return jobs

    def described(self) -> dict[str, JsonValue]:
        """How candidates are asked, for the record."""
        shown = [row.row_id for row in self.selection.rows] if self.selection else []
        return {
            "task": _described(self.on_task),
            "off_task": _described(self.off_task),
            "few_shot_examples": len(shown),
            "general_knowledge": "option with the highest summed log-probability per character",
        }


def prepare(source: Source, tokenizer: ChatTokenizer) -> Questions:
    """Tokenise every question, choose the few-shot examples and the decoding.

    Raises:
        DataError: an item does not fit into the context together with its answer.
    """
    config, shape = source.config, source.task.shape
    on_task = decoding.for_task(config.evaluate, shape, [row.answer for row in source.train], tokenizer, config.seed)
    suites = {"test": task_items(source.test), "gold": task_items(source.gold)}
    items = {name: found for name, found in suites.items() if found}
    prompts = {suite: _tokenised(tokenizer, [item.messages for item in found]) for suite, found in items.items()}
    for suite, found in items.items():
        decoding.check_room(prompts[suite], [item.where for item in found], on_task.max_new_tokens, source.context_tokens)
    selection = _select(source, tokenizer, items, source.context_tokens - on_task.max_new_tokens)
    off_task, knowledge = off_task_items(), knowledge_items()
    return Questions(
        items=items | {OFF_TASK: off_task},
        prompts=prompts | {OFF_TASK: _tokenised(tokenizer, [item.messages for item in off_task])},
        shown=_shown(tokenizer, items, selection),
        selection=selection,
        knowledge=knowledge,
        choices=tuple(choice_item(tokenizer, item) for item in knowledge),
        on_task=on_task,
        off_task=decoding.for_off_task(config.evaluate, config.seed),
    )


def _select(
    source: Source, tokenizer: ChatTokenizer, items: dict[str, tuple[Item, ...]], room_tokens: int
) -> few_shot.Selection | None:
    if "few_shot_base" not in source.contract.compare:
        return None
    rows = few_shot.choose(source.train, source.task, source.config.evaluate.few_shot_examples, source.config.seed)
    everything = [item for found in items.values() for item in found]
    fitted = few_shot.fit(rows, everything, lambda messages: len(prompt_ids(tokenizer, [messages])[0]), room_tokens)
    return few_shot.Selection(fitted.rows, source.config.evaluate.few_shot_examples)


def _shown(
    tokenizer: ChatTokenizer, items: dict[str, tuple[Item, ...]], selection: few_shot.Selection | None
) -> dict[str, Prompts]:
    if selection is None or not selection.rows:
        return {}
    return {
        suite: _tokenised(tokenizer, [few_shot.with_examples(selection.rows, item) for item in found])
        for suite, found in items.items()
    }


def _tokenised(tokenizer: ChatTokenizer, conversations: Sequence[Sequence[Message]]) -> Prompts:
    return tuple(prompt_ids(tokenizer, conversations))


def _described(how: Decoding) -> dict[str, JsonValue]:
    return {"max_new_tokens": how.max_new_tokens, "temperature": how.temperature, "seed": how.seed}
