"""A batch's keys and values in one piece of memory, allocated once and written in place."""

from __future__ import annotations

import functools
from typing import Any


class Arena:
    """One layer's keys and values of a whole batch: (rows, heads, slots, head size), zero where nothing was written yet.

    transformers' own dynamic layer concatenates at each step, which for long prefixes costs as much as the model.
    """

    def __init__(self, rows: int, slots: int) -> None:
        """No memory is taken before the first keys arrive and tell the shapes."""
        self.rows, self.slots = rows, slots
        self.tensors: list[Any] = []

    def ensure(self, *likes: Any) -> list[Any]:
        """The tensors, made like these on first use."""
        if not self.tensors:
            self.tensors = [t.new_zeros((self.rows, t.shape[1], self.slots, t.shape[3])) for t in likes]
        return self.tensors

    def select(self, indices: Any, used: int) -> None:
        """Keep these rows; what is not used yet is not copied."""
        old, self.tensors, self.rows = self.tensors, [], len(indices)
        for new, before in zip(self.ensure(*old), old, strict=True):
            new[:, :, :used] = before[indices, :, :used]


@functools.cache
def arena_layer_type() -> type[Any]:
    """A transformers cache layer over part of an arena. Made on first use, because its base class is heavy to import."""
    from transformers.cache_utils import DynamicLayer

    class ArenaLayer(DynamicLayer):  # type: ignore[misc, unused-ignore]
        """Keys and values are views; several layers may see the same arena."""

        def __init__(self, arena: Arena, rows: slice, start: int, used: int) -> None:
            super().__init__()
            self._arena, self._part, self._start, self._used = arena, rows, start, used
            self.is_initialized = True

        def get_seq_length(self) -> int:
            return self._used

        def update(self, key_states: Any, value_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
            first, self._used = self._start + self._used, self._used + key_states.shape[-2]
            last = self._start + self._used
            for tensor, states in zip(self._arena.ensure(key_states, value_states), (key_states, value_states), strict=True):
                tensor[self._part, :, first:last] = states
            self.keys, self.values = (t[self._part, :, self._start : last] for t in self._arena.tensors)
            return self.keys, self.values

        def reorder_cache(self, beam_idx: Any) -> None:
            self._arena.select(beam_idx, self._start + self._used)
            self._part = slice(0, len(beam_idx))

    return ArenaLayer
