"""Rows as numbers that can be compared: 8 to 16 bytes a row stand for texts that would not fit into memory together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import overload

import numpy as np
import numpy.typing as npt

from truetune.core.records import TaskProfile, TaskShape
from truetune.core.text import normalise, text_key
from truetune.stages.data.profile import Answer, read_answer
from truetune.stages.data.rows.row import Row

Keys = npt.NDArray[np.uint64]

_TABLE = np.dtype([("system", "<u8"), ("answer", "<u8"), ("conversation", "<u8", (2,))])
_KEY_BYTES, _CONVERSATION_BYTES = 8, 16


@dataclass(frozen=True)
class RowKeys:
    """Equal numbers, equal texts; one a row.

    Attributes:
        systems: of the normalised system prompt, (rows,).
        answers: of the answer in comparable form, (rows,).
        conversations: of the whole normalised conversation, 128 bits because rows that share it are left out, (rows, 2).
    """

    systems: Keys
    answers: Keys
    conversations: Keys


def row_keys(rows: Sequence[Row], task: TaskProfile) -> RowKeys:
    """The keys of rows, in one pass over them."""
    joined = bytearray()
    for row in rows:
        joined += keys_of(row, task)
    table = np.frombuffer(bytes(joined), dtype=_TABLE)
    return RowKeys(*(np.ascontiguousarray(table[name]) for name in ("system", "answer", "conversation")))


def keys_of(row: Row, task: TaskProfile) -> bytes:
    """A row's keys, one after another: system prompt, answer, conversation."""
    system = _system_key(row.system)
    answer = text_key(read_answer(row.answer, task.shape).key).to_bytes(_KEY_BYTES, "little")
    turns = [normalise(m["content"]) for m in row.messages[:-1] if m["role"] != "system"]
    # What two rows must share to be the same: system prompt, earlier turns, answer, and what is said of it.
    whole = hashlib.blake2b(system + answer, digest_size=_CONVERSATION_BYTES)
    compared = map(normalise, (row.rejected or "", *row.negatives))
    for text in (*turns, *compared, str(row.desirable), row.judge or ""):
        encoded = text.encode("utf-8", "surrogatepass")
        whole.update(len(encoded).to_bytes(_KEY_BYTES, "little") + encoded)
    return system + answer + whole.digest()


@lru_cache(maxsize=1024)
def _system_key(system: str) -> bytes:
    return text_key(normalise(system)).to_bytes(_KEY_BYTES, "little")


def groups_of(keys: Keys, smallest: int = 1) -> Iterator[npt.NDArray[np.int64]]:
    """The positions of each key that `smallest` rows have, ascending; groups in the order of their first positions.

    Args:
        keys: (rows,) or (rows, parts).
        smallest: rows of a group that counts.
    """
    columns = keys if keys.ndim > 1 else keys[:, None]
    order = np.lexsort(columns.T)
    differs = (columns[order[1:]] != columns[order[:-1]]).any(axis=1)
    starts = np.concatenate([[0], np.flatnonzero(differs) + 1]) if len(order) else np.empty(0, dtype=np.int64)
    sizes = np.diff(starts, append=len(order))
    counted = np.flatnonzero(sizes >= smallest)
    for group in counted[np.argsort(order[starts[counted]])]:
        yield order[starts[group] : starts[group] + sizes[group]]


class Answers(Sequence[Answer]):
    """The answers of rows in comparable form, each read from its row when it is asked for."""

    def __init__(self, rows: Sequence[Row], shape: TaskShape) -> None:
        """The last few stay at hand, because checks compare a few rows with one another again and again."""
        self._rows = rows
        self._shape = shape
        self._read = lru_cache(maxsize=4096)(self._answer)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Answer: ...
    @overload
    def __getitem__(self, index: slice) -> list[Answer]: ...
    def __getitem__(self, index: int | slice) -> Answer | list[Answer]:
        """An answer, or those of a slice as a list."""
        if isinstance(index, slice):
            return [read_answer(row.answer, self._shape) for row in self._rows[index]]
        return self._read(int(index))

    def __iter__(self) -> Iterator[Answer]:
        return (read_answer(row.answer, self._shape) for row in self._rows)

    def _answer(self, position: int) -> Answer:
        return read_answer(self._rows[position].answer, self._shape)
