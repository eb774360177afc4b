"""From a batch of prompts to their answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from truetune.backends.transformers_host.forward import Forward, Prefix, Row, State
from truetune.backends.transformers_host.loading import torch_module
from truetune.core.ports import ChatTokenizer, Decoding


def decode_batch(
    forward: Forward,
    prefix: Prefix,
    rows: Sequence[tuple[int, Row]],
    decoding: Decoding,
    tokenizer: ChatTokenizer,
    finish: Callable[[int, list[int], bool], None],
) -> None:
    """Decode until every row has ended; rows that have ended are dropped from the batch as soon as it pays."""
    ends = set(tokenizer.eos_token_ids)
    choose = _chooser(decoding, [row for _, row in rows])
    alive = list(range(len(rows)))
    outputs: list[list[int]] = [[] for _ in rows]
    logits, state = forward.prefill(prefix, [row for _, row in rows], keep=1, room=decoding.max_new_tokens)
    slots = list(alive)
    while alive:
        tokens = choose(logits[:, -1], slots)
        for slot, token in zip(slots, tokens, strict=True):
            if slot in alive:
                outputs[slot].append(token)
                if token in ends or len(outputs[slot]) == decoding.max_new_tokens:
                    alive.remove(slot)
                    finish(rows[slot][0], outputs[slot], token in ends)
        if alive:
            slots, tokens = _compact(state, slots, tokens, alive)
            logits = forward.feed(state, torch_module().tensor(tokens, device=forward.device)[:, None])


def _compact(state: State, slots: list[int], tokens: list[int], alive: list[int]) -> tuple[list[int], list[int]]:
    """Drop ended rows once they are a quarter of the batch: dropping copies the cache, keeping them computes in vain."""
    if len(alive) > 0.75 * len(slots):
        return slots, tokens
    kept = [i for i, slot in enumerate(slots) if slot in alive]
    state.select(torch_module().tensor(kept, device=state.mask.device))
    return [slots[i] for i in kept], [tokens[i] for i in kept]


def _chooser(decoding: Decoding, rows: Sequence[Row]) -> Callable[[Any, list[int]], list[int]]:
    """How the next token of each row is picked from logits (rows, vocabulary)."""
    torch = torch_module()
    if decoding.temperature == 0:
        return lambda logits, slots: logits.argmax(dim=-1).tolist()  # type: ignore[no-any-return, unused-ignore]
    generators = [torch.Generator().manual_seed(_row_seed(decoding.seed, row)) for row in rows]

    def sample(logits: Any, slots: list[int]) -> list[int]:
        probabilities = torch.softmax(logits.double().cpu() / decoding.temperature, dim=-1)
        return [int(torch.multinomial(p, 1, generator=generators[s])) for p, s in zip(probabilities, slots, strict=True)]

    return sample


def _row_seed(seed: int, row: Row) -> int:
    digest = hashlib.sha256(f"{seed}:{','.join(map(str, row))}".encode("ascii")).digest()
    return int.from_bytes(digest[:8], "big") >> 1
