"""Forward passes over batches of rows that begin alike.

A call's prompts usually begin alike (a system prompt, a thousand tokens of examples). The keys and values of what they
share are computed once and expanded to each batch; only the rest of each prompt is computed a row. What a row yields does
not depend on the rows beside it, up to the rounding of floating-point sums.
Source: measured in benchmarks/speed/generate_shared_prefix.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from truetune.backends.transformers_host.arena import Arena, arena_layer_type
from truetune.backends.transformers_host.loading import free_bytes, torch_module

Row = tuple[int, ...]

_CACHE_SHARE_OF_FREE_MEMORY = 0.25
"""Of free memory, what keys and values of one batch may take; the rest is for activations, logits and other processes."""
_MIN_SHARED_TOKENS = 8
"""Below this a shared prefix saves less than the extra forward pass costs."""
_ALIKE = 0.85
"""Rows of at least this share of the longest one's length go through the model together; the rest is padding."""
_SMALL_PASS_TOKENS = 128
"""Up to here a pass is bound by reading the weights, and padding costs nothing."""
_LARGE_PASS_TOKENS = 8192
"""Beyond this a pass gains nothing, and its activations take memory."""


@dataclass(frozen=True)
class Prefix:
    """What all rows of a call begin with, and its keys and values (None where nothing is shared)."""

    length_tokens: int
    cache: Any


@dataclass
class State:
    """A batch in flight. `mask` is (rows, slots), `lengths` the number of real tokens so far, (rows,)."""

    cache: Any
    mask: Any
    lengths: Any

    def select(self, indices: Any) -> None:
        """Keep these rows, in this order; a row may be named twice."""
        self.cache.reorder_cache(indices)
        self.mask = self.mask[indices]
        self.lengths = self.lengths[indices]


class Forward:
    """A model's forward passes over batches of rows.

    Only where every layer keeps all keys and values may rows of different length share a batch and a prefix: a
    sliding window counts slots, padding included, and a recurrent state cannot be masked afterwards.
    """

    def __init__(self, model: Any) -> None:
        """`model` is a causal language model of transformers or PEFT, in evaluation mode."""
        from transformers.cache_utils import DynamicCache, DynamicLayer

        self.model = model
        self.config = model.config.get_text_config()
        self.device = model.device
        limit = getattr(self.config, "max_position_embeddings", None)
        self.context_length_tokens: int | None = int(limit) if limit else None
        layers = DynamicCache(config=model.config).layers
        self._layers = len(layers)
        self._sharable = bool(layers) and all(type(layer) is DynamicLayer for layer in layers)

    def share(self, rows: Sequence[Row], at_most: int | None = None) -> Prefix:
        """Compute what all rows begin with; at least one token of each row is left, and at most `at_most` are shared."""
        length = _common_prefix_tokens(rows)
        length = length if at_most is None else min(length, at_most)
        if not self._sharable or len(rows) < 2 or length < _MIN_SHARED_TOKENS:
            return Prefix(0, None)
        ids = torch_module().tensor([rows[0][:length]], device=self.device)
        return Prefix(length, self.model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values)

    def batches(self, rows: Sequence[Row], prefix: Prefix, more_tokens: int, max_rows: int) -> list[list[int]]:
        """Indices of rows, longest first, in batches whose keys and values fit into memory."""
        order = sorted(range(len(rows)), key=lambda i: (-len(rows[i]), rows[i]))
        budget_tokens = free_bytes(self.device) * _CACHE_SHARE_OF_FREE_MEMORY / self._bytes_per_token()
        batches: list[list[int]] = []
        for index in order:
            longest = len(rows[batches[-1][0]]) if batches else 0
            room = min(max_rows, int(budget_tokens // (longest + more_tokens))) if batches else 0
            fits = bool(batches) and len(batches[-1]) < room and (self._sharable or len(rows[index]) == longest)
            if fits:
                batches[-1].append(index)
            else:
                batches.append([index])
        return batches

    def prefill(self, prefix: Prefix, rows: Sequence[Row], keep: int, room: int) -> tuple[Any, State]:
        """Feed what follows the prefix; logits (rows, keep, vocabulary) of each row's last `keep` tokens, zero before them.

        Rows of like length go through the model together, and all land in one cache, each ending at the same slot, with
        room for `room` more.
        """
        torch = torch_module()
        rests = [row[prefix.length_tokens :] for row in rows]
        slots = prefix.length_tokens + max(len(r) for r in rests)
        arenas = [Arena(len(rows), slots + room) for _ in range(self._layers)]
        mask = torch.zeros((len(rows), slots), dtype=torch.long, device=self.device)
        logits, cache = [], None
        for part in _alike([len(r) for r in rests]) if self._sharable else [slice(0, len(rows))]:
            width = max(len(r) for r in rests[part])
            start = slots - prefix.length_tokens - width
            cache = self._cache(arenas, part, start, prefix)
            mask[part, start:] = self._real(rests[part], prefix.length_tokens, width)
            ids = torch.tensor([(0,) * (width - len(r)) + r for r in rests[part]], device=self.device)
            positions = (mask[part, start:].cumsum(dim=1) - 1).clamp(min=0)[:, prefix.length_tokens :]
            found = self._run(ids, mask[part, start:], positions, cache, min(keep, width))
            logits.append(torch.nn.functional.pad(found, (0, 0, keep - found.shape[1], 0)))
        whole = self._cache(arenas, slice(0, len(rows)), 0, used=slots) if self._sharable else cache
        return torch.cat(logits), State(whole, mask, mask.sum(dim=1))

    def feed(self, state: State, ids: Any) -> Any:
        """Feed `ids` (rows, n) after what the state holds; logits (rows, n, vocabulary)."""
        torch = torch_module()
        count = ids.shape[1]
        state.mask = torch.cat([state.mask, state.mask.new_ones((len(ids), count))], dim=1)
        positions = state.lengths[:, None] + torch.arange(count, device=self.device)[None, :]
        state.lengths = state.lengths + count
        return self._run(ids, state.mask, positions, state.cache, count)

    def _run(self, ids: Any, mask: Any, positions: Any, cache: Any, keep: int) -> Any:
        return self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=keep,
        ).logits

    def _real(self, rests: Sequence[Row], shared: int, width: int) -> Any:
        """1 for a real token, 0 for padding: (rows, shared + width)."""
        torch = torch_module()
        lengths = torch.tensor([len(r) for r in rests], device=self.device)
        own = torch.arange(width, device=self.device)[None, :] >= (width - lengths)[:, None]
        return torch.cat([own.new_ones((len(rests), shared)), own], dim=1).long()

    def _cache(self, arenas: Sequence[Arena], rows: slice, start: int, prefix: Prefix | None = None, used: int = 0) -> Any:
        """A cache that reads and writes the arenas' `rows` from slot `start` on, with the prefix already in it."""
        from transformers.cache_utils import DynamicCache

        cache = DynamicCache(config=self.model.config)
        if self._sharable:
            cache.layers = [arena_layer_type()(arena, rows, start, used) for arena in arenas]
        if prefix is not None and prefix.cache is not None:
            for layer, source in zip(cache.layers, prefix.cache.layers, strict=True):
                layer.update(source.keys, source.values)
        return cache

    def _bytes_per_token(self) -> int:
        config = self.config
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return int(2 * config.num_hidden_layers * heads * head_dim * self.model.dtype.itemsize)


def _alike(lengths: Sequence[int]) -> list[slice]:
    """Consecutive rows, longest first, in parts that waste little on padding and fit one forward pass."""
    parts: list[slice] = []
    for index, length in enumerate(lengths):
        longest = lengths[parts[-1].start] if parts else 0
        tokens = longest * (index + 1 - parts[-1].start) if parts else 0
        joins = parts and (length >= _ALIKE * longest or tokens <= _SMALL_PASS_TOKENS) and tokens <= _LARGE_PASS_TOKENS
        if joins:
            parts[-1] = slice(parts[-1].start, index + 1)
        else:
            parts.append(slice(index, index + 1))
    return parts


def _common_prefix_tokens(rows: Sequence[Row]) -> int:
    """Tokens that all rows begin with, leaving at least one of each. Between the least and the greatest row lie all others."""
    if not rows:
        return 0
    first, last = min(rows), max(rows)
    shared = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return max(0, min(shared, min(len(r) for r in rows) - 1))
