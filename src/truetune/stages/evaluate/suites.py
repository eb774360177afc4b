"""The items that candidates are evaluated on.

`test` is the frozen split, `gold` the user's hand-graded set, `general_knowledge` and `off_task` are truetune's own and come
with the package: short facts that anyone can check, and prompts that have nothing to do with any narrow task.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from pydantic import Field, JsonValue

from truetune.core.ports import ChatTokenizer, ChoiceItem, Message
from truetune.core.records import Frozen
from truetune.evidence.curated import CuratedRow
from truetune.evidence.digests import canonical_json

SuiteName = Literal["test", "gold", "general_knowledge", "off_task"]
TASK_SUITES: tuple[SuiteName, ...] = ("test", "gold")


@dataclass(frozen=True)
class Item:
    """One thing to ask; `messages` end where the answer begins; `expected` is the answer, off task the rule as JSON."""

    item_id: str
    messages: tuple[Message, ...]
    prompt: str
    expected: str
    cluster: str
    where: str = ""


class Rule(Frozen):
    """An instruction whose keeping a machine can tell; `value` is a number or a text, as the type needs."""

    type: Literal[
        "max_words",
        "min_words",
        "contains",
        "not_contains",
        "starts_with",
        "ends_with",
        "bullet_count",
        "numbered_count",
        "uppercase",
        "lowercase",
    ]
    value: int | str | None = None


class OffTaskItem(Frozen):
    """A line of `off_task.jsonl`."""

    id: str
    kind: str
    prompt: str
    verify: Rule | None


class KnowledgeItem(Frozen):
    """A line of `general_knowledge.jsonl`; `answer` is the index of the right option."""

    id: str
    topic: str
    question: str
    options: tuple[str, ...] = Field(min_length=2)
    answer: int = Field(ge=0)


def task_items(rows: Sequence[CuratedRow]) -> tuple[Item, ...]:
    """Curated rows as items: everything before the last answer is asked, the last answer is expected."""
    return tuple(
        Item(
            item_id=row.row_id,
            messages=_before_answer(row.messages),
            prompt=row.prompt,
            expected=row.answer,
            cluster=row.cluster or row.row_id,
            where=f"{row.file}:{row.line}",
        )
        for row in rows
    )


def off_task_items() -> tuple[Item, ...]:
    """The packaged off-task prompts, each with its rule where it has one."""
    items = [OffTaskItem.model_validate_json(line) for line in _packaged("off_task.jsonl")]
    return tuple(
        Item(
            item_id=item.id,
            messages=({"role": "user", "content": item.prompt},),
            prompt=item.prompt,
            expected=item.verify.model_dump_json() if item.verify else "",
            cluster=item.id,
        )
        for item in items
    )


def knowledge_items() -> tuple[KnowledgeItem, ...]:
    """The packaged general-knowledge battery."""
    return tuple(KnowledgeItem.model_validate_json(line) for line in _packaged("general_knowledge.jsonl"))


def packaged_prompts() -> dict[str, tuple[str, ...]]:
    """What every candidate is asked beside the task, by suite: nothing of it may be trained on."""
    return {
        "general knowledge": tuple(item.question for item in knowledge_items()),
        "off task": tuple(item.prompt for item in off_task_items()),
    }


def items_file(items: Sequence[Item] | Sequence[KnowledgeItem]) -> bytes:
    """A suite's items as JSON lines: the file that the record names."""
    return b"".join(canonical_json(_as_json(item)) + b"\n" for item in items)


def choice_item(tokenizer: ChatTokenizer, item: KnowledgeItem) -> ChoiceItem:
    """The question and its options as token ids, each option tokenised as it continues the question.

    Tokenised in one piece and cut where the question ends. Where a token would lie across that border, the option is
    tokenised alone: the same for every candidate, so a paired comparison stays fair.
    """
    encodings = tokenizer.encode([item.question, *(f"{item.question} {option}" for option in item.options)])
    question, whole = encodings[0].ids, [encoding.ids for encoding in encodings[1:]]
    if all(ids[: len(question)] == question and len(ids) > len(question) for ids in whole):
        return ChoiceItem(question, tuple(ids[len(question) :] for ids in whole))
    alone = tokenizer.encode([f" {option}" for option in item.options])
    return ChoiceItem(question, tuple(encoding.ids for encoding in alone))


def _before_answer(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    last = max(index for index, message in enumerate(messages) if message["role"] == "assistant")
    return messages[:last]


def _as_json(item: Item | KnowledgeItem) -> JsonValue:
    if isinstance(item, KnowledgeItem):
        return {"item_id": item.id, "question": item.question, "options": list(item.options), "answer": item.answer}
    return {
        "item_id": item.item_id,
        "messages": [dict(message) for message in item.messages],
        "expected": item.expected,
        "cluster": item.cluster,
        "source": item.where,
    }


def _packaged(name: str) -> list[str]:
    text = files("truetune.stages.evaluate").joinpath("items", name).read_text(encoding="utf-8")
    return [json.dumps(json.loads(line)) for line in text.splitlines() if line.strip()]
