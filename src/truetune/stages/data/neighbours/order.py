"""How many words two texts have in common in the same order, for many pairs at once."""

from __future__ import annotations

import numpy as np

from truetune.core.text import words_in_order
from truetune.stages.data.neighbours.comparison import chunks
from truetune.stages.data.neighbours.words import Block, Hashes, Ints, Words, spans

_CHUNK_WORDS = 1 << 19
_BATCHED_WORDS = 1 << 10
"""Longer texts go one by one: their masks together would take memory in the square of their length."""


def in_order(left: Block, right: Block, a: Ints, b: Ints) -> Ints:
    """`words_in_order` of text `a[i]` of one block and text `b[i]` of the other, for each pair, (pairs,)."""
    longer = np.maximum(left.lengths[a], right.lengths[b])
    counts = np.zeros(len(a), dtype=np.int64)
    for pair in np.flatnonzero(longer > _BATCHED_WORDS).tolist():
        counts[pair] = words_in_order(_text(left, int(a[pair])), _text(right, int(b[pair])))
    batched = np.flatnonzero((longer <= _BATCHED_WORDS) & (longer > 0))
    batched = batched[np.argsort(longer[batched], kind="stable")]  # texts of like length take like many steps
    for some in chunks(2 * longer[batched], _CHUNK_WORDS):
        pairs = batched[some]
        counts[pairs] = _batch(_texts(left, a[pairs]), _texts(right, b[pairs]))
    return counts


def _text(block: Block, row: int) -> list[int]:
    words: list[int] = block.hashes[block.starts[row] : block.starts[row + 1]].tolist()
    return words


def _texts(block: Block, rows: Ints) -> tuple[Words, Ints]:
    lengths = block.lengths[rows]
    return block.hashes[spans(block.starts[rows], lengths)], lengths


def _batch(left: tuple[Words, Ints], right: tuple[Words, Ints]) -> Ints:
    """The same algorithm on all pairs in step: a pair's unmatched places as 64-bit limbs, one word of each right text a step."""
    (a, a_lengths), (b, b_lengths) = left, right
    limbs = -(-int(a_lengths.max(initial=0)) // 64) or 1
    masks, number = _masks(a, a_lengths, b, b_lengths, limbs)
    order = np.argsort(-b_lengths, kind="stable")
    first = (np.cumsum(b_lengths) - b_lengths)[order]
    steps = int(b_lengths.max(initial=0))
    going = np.searchsorted(-b_lengths[order], -np.arange(steps), side="left")
    unmatched = np.full((limbs, len(order)), np.iinfo(np.uint64).max, dtype=np.uint64)
    for step, n in enumerate(going.tolist()):
        _advance(unmatched[:, :n], masks[number[first[:n] + step]])
    left_over = np.bitwise_count(unmatched & _full(a_lengths[order], limbs)).sum(axis=0, dtype=np.int64)
    counts = np.empty(len(order), dtype=np.int64)
    counts[order] = a_lengths[order] - left_over
    return counts


def _masks(a: Words, a_lengths: Ints, b: Words, b_lengths: Ints, limbs: int) -> tuple[Hashes, Ints]:
    """For each different word of each pair its places in the left text as bits; and the number of each right text's words."""
    pairs = np.arange(len(a_lengths), dtype=np.uint64)
    pair = np.concatenate([np.repeat(pairs, a_lengths), np.repeat(pairs, b_lengths)])
    different, number = np.unique((pair << np.uint64(32)) | np.concatenate([a, b]), return_inverse=True)
    place = spans(np.zeros(len(a_lengths), dtype=np.int64), a_lengths)
    masks = np.zeros(len(different) * limbs, dtype=np.uint64)
    np.add.at(masks, number[: len(a)] * limbs + (place >> 6), np.uint64(1) << (place & 63).astype(np.uint64))
    return masks.reshape(-1, limbs), number[len(a) :]


def _advance(unmatched: Hashes, masks: Hashes) -> None:
    """One step: `(unmatched + matched) | (unmatched - matched)`, the sum with its carry from limb to limb."""
    carry = np.zeros(unmatched.shape[1], dtype=np.uint64)
    for limb, before in enumerate(unmatched):
        matched = before & masks[:, limb]
        total = before + matched
        overflow = total < before
        total += carry
        carry = (overflow | (total < carry)).astype(np.uint64)
        np.bitwise_or(total, before & ~matched, out=before)


def _full(lengths: Ints, limbs: int) -> Hashes:
    """The bits that are places of a text, (limbs, texts)."""
    bits = np.clip(lengths[None, :] - 64 * np.arange(limbs)[:, None], 0, 64).astype(np.uint64)
    return np.where(bits == 64, np.iinfo(np.uint64).max, (np.uint64(1) << (bits & np.uint64(63))) - np.uint64(1))
