"""A loaded candidate: what it writes, and how likely it finds given options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from truetune.backends.transformers_host.choices import score_choices
from truetune.backends.transformers_host.decoding import decode_batch
from truetune.backends.transformers_host.forward import Forward, Row
from truetune.backends.transformers_host.loading import memory_named, quiet, torch_module
from truetune.core.errors import DataError
from truetune.core.ports import ChatTokenizer, ChoiceItem, Decoding, Generation

MAX_BATCH_ROWS = 64
"""More rows a decoding step cost less each: 6.5 ms a row at 64, 8.8 at 32, 17 at 8 (SmolLM2-135M, one thread)."""


class TransformersModel:
    """A loaded candidate."""

    def __init__(self, model: Any, tokenizer: ChatTokenizer, max_batch_rows: int) -> None:
        """`model` is a causal language model of transformers or PEFT, in evaluation mode."""
        self._forward = Forward(model)
        self._tokenizer = tokenizer
        self._max_batch_rows = max_batch_rows

    def generate(
        self, prompts: Sequence[Sequence[int]], decoding: Decoding, on_done: Callable[[int, Generation], None]
    ) -> list[Generation]:
        """One output per prompt, in order; `on_done` as soon as each is known.

        Temperature 0 is greedy. Above it, each prompt is sampled from the whole distribution by a generator of its own,
        seeded by `decoding.seed` and the prompt's ids. The model's `generation_config` adds nothing (no top-k, no
        penalties): what decides an output is in `decoding`, and that is in the evidence.

        Raises:
            DataError: a prompt is empty, or does not fit the model's context together with its answer.
            EnvironmentFault: out of memory.
        """
        rows = [tuple(p) for p in prompts]
        self._check_lengths(rows, decoding.max_new_tokens)
        results: dict[int, Generation] = {}

        def finish(index: int, ids: list[int], finished: bool) -> None:
            text = self._tokenizer.decode(ids[:-1] if finished else ids)
            results[index] = Generation(text=text, finished=finished, new_tokens=len(ids))
            on_done(index, results[index])

        with quiet(), memory_named("generating"), torch_module().inference_mode():
            prefix = self._forward.share(rows)
            for batch in self._forward.batches(rows, prefix, decoding.max_new_tokens, self._max_batch_rows):
                decode_batch(self._forward, prefix, [(i, rows[i]) for i in batch], decoding, self._tokenizer, finish)
        return [results[i] for i in range(len(rows))]

    def choice_log_likelihoods(self, items: Sequence[ChoiceItem], on_done: Callable[[int], None]) -> list[tuple[float, ...]]:
        """For each item, each option's summed log-probability in nats given the question; each question is computed once.

        Raises:
            DataError: an empty question or option, or an item that does not fit the model's context.
            EnvironmentFault: out of memory.
        """
        questions = [tuple(item.question) for item in items]
        longest = max((len(o) for item in items for o in item.options), default=0)
        self._check_lengths(questions, longest)
        if any(not option for item in items for option in item.options):
            raise DataError("eval.empty_option", "a multiple-choice option has no tokens", fix="give every option a text")
        results: dict[int, tuple[float, ...]] = {}
        with quiet(), memory_named("scoring choices"), torch_module().inference_mode():
            prefix = self._forward.share(questions)
            rows = max(1, self._max_batch_rows // max((len(i.options) for i in items), default=1))
            for batch in self._forward.batches(questions, prefix, longest, rows):
                scores = score_choices(self._forward, prefix, [items[i] for i in batch])
                for index, score in zip(batch, scores, strict=True):
                    results[index] = score
                    on_done(index)
        return [results[i] for i in range(len(items))]

    def _check_lengths(self, rows: Sequence[Row], new_tokens: int) -> None:
        limit = self._forward.context_length_tokens
        for index, row in enumerate(rows):
            if not row:
                raise DataError("eval.empty_prompt", f"prompt {index + 1} has no tokens", fix="remove the empty item")
            if limit is not None and len(row) + new_tokens > limit:
                raise DataError(
                    "eval.prompt_too_long",
                    f"prompt {index + 1} has {len(row)} tokens, and its answer {new_tokens} more: the model's limit is {limit}",
                    why="beyond its context length a model answers at random, and cutting the prompt would hide it",
                    fix="lower evaluate.few_shot_examples or evaluate.max_new_tokens in truetune.yaml, or shorten the item",
                )
