"""How candidates are asked: temperature by task, room for the answer from the training answers. Part of the evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from truetune.core.config import EvaluateConfig
from truetune.core.errors import DataError
from truetune.core.ports import ChatTokenizer, Decoding
from truetune.core.records import TaskShape

TEMPERATURES: dict[TaskShape, float] = {"labels": 0.0, "json": 0.0, "exact": 0.0, "text": 0.2}
"""Temperature where the config names none. Source: the decoding policy of requirement E6, ours: an answer that is right or wrong
is asked for greedily, free text with a little freedom."""

MARGIN_FRAC = 0.25
MARGIN_TOKENS = 8
"""Room beyond the longest training answer, the larger of the two; ours: enough to see that an answer does not end."""


def for_task(config: EvaluateConfig, shape: TaskShape, answers: Sequence[str], tokenizer: ChatTokenizer, seed: int) -> Decoding:
    """The decoding for test and gold: the config's where it says so, else by the task's shape and the training answers."""
    temperature = TEMPERATURES[shape] if config.temperature is None else config.temperature
    return Decoding(config.max_new_tokens or _room(answers, tokenizer), temperature, seed)


def for_off_task(config: EvaluateConfig, seed: int) -> Decoding:
    """Greedy: off-task outputs are compared with the base's on the same prompt, and luck must not differ."""
    return Decoding(config.off_task_new_tokens, 0.0, seed)


def check_room(prompts: Sequence[Sequence[int]], places: Sequence[str], new_tokens: int, context_tokens: int) -> None:
    """Every prompt and its answer fit into the context.

    Raises:
        DataError: one does not; nothing is cut in silence.
    """
    for prompt, place in zip(prompts, places, strict=True):
        if len(prompt) + new_tokens > context_tokens:
            raise DataError(
                "eval.prompt_too_long",
                f"an evaluation item needs {len(prompt)} tokens and {new_tokens} for its answer, the model has {context_tokens}",
                why="cutting the prompt would ask another question",
                fix="shorten or remove the item, or set evaluate.max_new_tokens lower",
                where=place,
            )


def _room(answers: Sequence[str], tokenizer: ChatTokenizer) -> int:
    longest = max((len(encoding.ids) for encoding in tokenizer.encode(list(answers))), default=0) + 1
    return longest + max(MARGIN_TOKENS, math.ceil(longest * MARGIN_FRAC))
