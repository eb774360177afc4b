"""What candidates answered, a line each: the two files from which every score can be derived again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeVar

from truetune.core.records import Frozen
from truetune.evidence.digests import canonical_json


class Output(Frozen):
    """One generated answer.

    `score` is task success, or on off-task prompts whether the rule was kept (None: no rule, or cut off before it could be
    told). `valid` is: has the task's form. On off-task prompts that form is confusion.
    """

    candidate: str
    suite: str
    item_id: str
    cluster: str
    prompt: str
    prompt_ids_digest: str
    output: str
    finished: bool
    new_tokens: int
    expected: str
    score: float | None
    valid: bool


class Choice(Frozen):
    """One answered multiple-choice question: each option's summed log-probability in nats, and which the score took."""

    candidate: str
    suite: str
    item_id: str
    question: str
    options: tuple[str, ...]
    log_likelihoods: tuple[float, ...]
    answer: int
    chosen: int
    score: float


Line = TypeVar("Line", Output, Choice)


def to_jsonl(lines: Iterable[Output | Choice]) -> bytes:
    """JSON lines by suite, item and candidate: the same answers give the same bytes."""
    ordered = sorted(lines, key=lambda line: (line.suite, line.item_id, line.candidate))
    return b"".join(canonical_json(line.model_dump(mode="json")) + b"\n" for line in ordered)


def from_jsonl(content: bytes, kind: type[Line]) -> list[Line]:
    """The lines of a file that `to_jsonl` wrote.

    Raises:
        ValueError: a line is not what `to_jsonl` writes.
    """
    text = content.decode("utf-8", "surrogatepass")
    # `json` and not pydantic reads the lines: a user's text may hold a lone surrogate, which pydantic's parser refuses.
    return [kind.model_validate(json.loads(line)) for line in text.split("\n") if line]
