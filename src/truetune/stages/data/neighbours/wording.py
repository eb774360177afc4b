"""Wording that many texts share ("Classify the following message into one of …") is left out of the comparison.

Otherwise every two rows of an instruction data set would be near-duplicates of each other. Wording is told from a cluster of
copies by what remains when it is taken away: after an instruction the rest differs, in copies the rest is the same too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from truetune.stages.data.neighbours.sorting import distinct, sort_in_place
from truetune.stages.data.neighbours.words import (
    Block,
    Bytes,
    Flags,
    Hashes,
    Ints,
    TableWriter,
    Words,
    WordTable,
    occurrences,
    ordered_sums,
    spans,
    unpacked,
)

LONG_WORDS, _LONG_TEXTS = 12, 10
"""Twelve equal words at the start or end of ten different texts: measured: never by chance in the 28,000 questions of CLINC150
and SNIPS."""
_SHORT_WORDS, _SHORT_FRAC, _SHORT_TEXTS_MIN = 4, 0.5, 20
"""Four equal words are wording only where at least half of all texts have them."""
_IN_GROUP_FRAC = 0.95
_REST_WORDS_MIN = 3
_REST_JACCARD_MAX = 0.3
_CONTAINED_FRAC, _SHORT_CONTAINED_FRAC = 0.3, 0.8
"""A text that has so many of a wording's pairs of neighbouring words has that wording, edited; of several the one of which it has
most. Source: arithmetic: an edit of a fifth of the words leaves about 0.64 of the pairs; a short wording must stand there
nearly whole. Negative: told by single words, nearly every text of 240 words has 60 % of some wording's, which are common ones."""
_WHOLE_FRAC = 0.9
"""A text that has less of its wording's pairs may have another one, edited or not among those known: it is held against texts of
any wording. Source: measured, docs/log.md 2026-11-24: of near copies of 1.3 kB that were overlooked, two fifths had been told
another wording than their source."""
_LEFT_OUT_FRAC = 0.4
"""Wording that is a smaller share of a text stays in: two texts cannot be near copies for its sake, and an edit may hide it."""
_SAMPLE = 32
_MOST_GROUPS = 64
_MOST_WORDINGS = 32
_EDGE_ROWS = 1 << 16
_PAIR_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_PAIR_BITS, _WORD_BITS = np.uint64((1 << 40) - 1), np.uint64((1 << 32) - 1)

NONE = -1
"""The number of the wording of a text that has none."""

Numbers = npt.NDArray[np.int8]


def without_shared_wording(table: WordTable, rows: Ints, scratch_dir: Path | None = None) -> tuple[WordTable, Numbers]:
    """The texts without the wording that makes up much of them, and the number of the wording that each has whole, (texts,).

    Args:
        table: all texts.
        rows: the different ones among them, ascending: wording is what many of these share.
        scratch_dir: where the words go if they are many; None is where the system keeps temporary files.
    """
    wordings = _wordings(table, rows)
    if not wordings:
        return table, np.full(len(table), NONE, dtype=np.int8)
    writer, numbers = TableWriter(scratch_dir), []
    for block, bits in zip(table.blocks, table.openings, strict=True):
        rest, openings, of_block = _left_out(block, bits, wordings)
        writer.put(rest, openings)
        numbers.append(of_block)
    return writer.table(), np.concatenate(numbers)


@dataclass(frozen=True, slots=True)
class _Wording:
    """What many texts share: the features of its words, and its pairs of neighbouring words; both sorted."""

    words: Hashes
    pairs: Hashes


@dataclass(frozen=True, slots=True)
class _Features:
    """The words of some texts as sets that still count: the second `the` of a text is another feature than its first.

    Attributes:
        keys: a feature each, (features,): the word's hash, and above it how often it stood there before.
        text: whose it is, (features,).
    """

    keys: Hashes
    text: Ints


def _features(words: Words, text: Ints) -> _Features:
    again = occurrences((text.astype(np.uint64) << np.uint64(32)) | words)
    return _Features((again.astype(np.uint64) << np.uint64(32)) | words, text)


def _wordings(table: WordTable, rows: Ints) -> list[_Wording]:
    """The shared wordings, those with the most words first."""
    ends = [(LONG_WORDS, _LONG_TEXTS)]
    if len(rows) >= _SHORT_TEXTS_MIN:
        ends.append((_SHORT_WORDS, int(_SHORT_FRAC * len(rows))))
    found: dict[bytes, _Wording] = {}
    for words, enough in ends:
        long_enough = rows[table.lengths[rows] >= words + _REST_WORDS_MIN]
        for at_end in (False, True):
            for group in _groups(_edge_keys(table, long_enough, words, at_end=at_end), enough):
                wording = _wording(table.take(long_enough[np.sort(group)]))
                found[wording.words.tobytes()] = wording
    told = [wording for wording in found.values() if len(wording.words) and len(wording.pairs)]
    return sorted(told, key=lambda w: (-len(w.words), w.words.tobytes()))[:_MOST_WORDINGS]


def _edge_keys(table: WordTable, rows: Ints, words: int, *, at_end: bool) -> Hashes:
    """One key for the first or last words of each text, (rows,)."""
    keys = [np.empty(0, dtype=np.uint64)]
    for start in range(0, len(rows), _EDGE_ROWS):
        edges = table.take_ends(rows[start : start + _EDGE_ROWS], words, last=at_end)
        keys.append(ordered_sums(edges.ravel().astype(np.uint64), np.arange(len(edges) + 1) * words))
    return np.concatenate(keys)


def _groups(keys: Hashes, enough: int) -> Iterator[Ints]:
    """Samples of the places of equal keys, where there are enough; of very many groups the largest."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    edges = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]])[: len(keys) + 1])
    sizes = np.diff(edges)
    large = np.flatnonzero(sizes >= enough)
    for group in large[np.argsort(-sizes[large], kind="stable")][:_MOST_GROUPS]:
        yield order[edges[group] : edges[group + 1] : max(1, int(sizes[group]) // _SAMPLE)]


def _wording(block: Block) -> _Wording:
    """What a group of texts has in common, or nothing where they are copies of each other."""
    texts = len(block.starts) - 1
    features = _features(block.hashes, np.repeat(np.arange(texts), block.lengths))
    different, number, counts = np.unique(features.keys, return_inverse=True, return_counts=True)
    common = counts >= _IN_GROUP_FRAC * texts
    own = ~common[number]
    rests = np.bincount(features.text[own], minlength=texts)
    if np.median(rests) < _REST_WORDS_MIN or np.median(_overlaps(number[own], features.text[own], rests)) >= _REST_JACCARD_MAX:
        return _Wording(different[:0], different[:0])
    pairs, of = _word_pairs(block)
    pair, seen = np.unique(distinct(_salted(pairs, of)) & _PAIR_BITS, return_counts=True)
    return _Wording(different[common], pair[seen >= _IN_GROUP_FRAC * texts])


def _word_pairs(block: Block) -> tuple[Hashes, Ints]:
    """The pairs of neighbouring words inside texts as 40-bit numbers, and whose text's they are."""
    text = np.repeat(np.arange(len(block.starts) - 1), block.lengths)
    inside = text[1:] == text[:-1]
    words = block.hashes.astype(np.uint64)
    pairs = (words[:-1] * _PAIR_FACTOR + words[1:]) * _PAIR_FACTOR >> np.uint64(64 - 40)
    return pairs[inside], text[1:][inside]


def _salted(pairs: Hashes, text: Ints) -> Hashes:
    return (text.astype(np.uint64) << np.uint64(40)) | pairs


def _overlaps(feature: Ints, text: Ints, sizes: Ints) -> npt.NDArray[np.float64]:
    """The Jaccard similarity of each text's features and the next one's, (texts - 1,)."""
    order = np.lexsort((text, feature))
    feature, text = feature[order], text[order]
    met = (feature[1:] == feature[:-1]) & (text[1:] == text[:-1] + 1)
    common = np.bincount(text[:-1][met], minlength=len(sizes))[: len(sizes) - 1]
    union = sizes[1:] + sizes[:-1] - common
    return np.where(union > 0, common / np.maximum(union, 1), 1.0)


def _left_out(block: Block, bits: Bytes, wordings: Sequence[_Wording]) -> tuple[Block, Bytes, Numbers]:
    numbers, whole = _numbers(block, wordings)
    places, text, of_wordings = _marked(block, numbers, [wording.words for wording in wordings])
    own = (of_wordings >> numbers[text].astype(np.uint32) & np.uint32(1)).astype(bool)
    present = np.bincount(text[own], minlength=len(numbers))
    numbers[present == block.lengths] = NONE  # nothing would be left
    large = (numbers != NONE) & (present >= _LEFT_OUT_FRAC * block.lengths)
    kept = np.ones(len(block.hashes), dtype=bool)
    kept[places[own & large[text]]] = False
    left = np.concatenate([[0], np.cumsum(kept)])
    rest = Block(block.hashes[kept], left[block.starts])
    return rest, np.packbits(_moved(unpacked(bits, len(kept)), kept)), np.where(whole, numbers, np.int8(NONE))


def _numbers(block: Block, wordings: Sequence[_Wording]) -> tuple[Numbers, Flags]:
    """Which wording each text has, told by its pairs of neighbouring words, and whether nearly all of it, (texts,) each."""
    numbers = np.full(len(block.starts) - 1, NONE, dtype=np.int8)
    keys, owners = _owners([wording.pairs for wording in wordings])
    pairs, text = _word_pairs(block)
    known = _known(keys, pairs, 40)
    at = np.searchsorted(keys, pairs[known])
    text, owned = text[known], owners[at]
    closest, whole = np.zeros(len(numbers)), np.zeros(len(numbers), dtype=bool)
    for number, wording in enumerate(wordings):
        has = text[(owned >> np.uint32(number) & np.uint32(1)).astype(bool)]
        present = np.bincount(has, minlength=len(numbers))
        enough = _CONTAINED_FRAC if len(wording.words) >= LONG_WORDS else _SHORT_CONTAINED_FRAC
        likeness = present + present / (2 * len(wording.pairs))
        better = (present >= enough * len(wording.pairs)) & (likeness > closest)
        numbers[better], closest[better] = number, likeness[better]
        whole[better] = present[better] >= _WHOLE_FRAC * len(wording.pairs)
    return numbers, whole


def _owners(sets: Sequence[Hashes]) -> tuple[Hashes, Words]:
    """All keys of some sets, sorted, and as bits which sets have each."""
    keys, number = np.unique(np.concatenate(list(sets)), return_inverse=True)
    bits = np.zeros(len(keys), dtype=np.uint32)
    np.bitwise_or.at(bits, number, np.uint32(1) << np.repeat(np.arange(len(sets), dtype=np.uint32), [len(keys) for keys in sets]))
    return keys, bits


def _known(keys: Hashes, values: Hashes, bits: int) -> Ints:
    """The places of those values, of so many bits, that are among the sorted keys; most are ruled out by their top 16 bits."""
    top = np.uint64(bits - 16)
    maybe = np.zeros(1 << 16, dtype=bool)
    maybe[keys >> top] = True
    places = np.flatnonzero(maybe[values >> top])
    at = np.minimum(np.searchsorted(keys, values[places]), len(keys) - 1)
    known: Ints = places[keys[at] == values[places]]
    return known


def _marked(block: Block, numbers: Numbers, wordings: Sequence[Hashes]) -> tuple[Ints, Ints, Words]:
    """In texts with a wording the places of words that some wording has, whose they are, and as bits which wordings have them.

    One sort of packed numbers (text, word, place) puts equal words of a text together, in their order.
    """
    keys, owners = _owners(wordings)
    words = distinct(keys & _WORD_BITS)
    having = np.flatnonzero(numbers != NONE)
    within = spans(block.starts[having], block.lengths[having])
    places = within[_known(words, block.hashes[within].astype(np.uint64), 32)]
    for_place, for_word = len(block.hashes).bit_length(), len(words).bit_length()
    packed = np.searchsorted(block.starts, places, side="right") - 1
    packed = (packed << (for_place + for_word)) | (np.searchsorted(words, block.hashes[places]) << for_place) | places
    sort_in_place(packed)
    again = _run_places(packed >> for_place).astype(np.uint64)
    features = (again << np.uint64(32)) | words[(packed >> for_place) & ((1 << for_word) - 1)]
    at = np.minimum(np.searchsorted(keys, features), len(keys) - 1)
    marked = keys[at] == features
    return packed[marked] & ((1 << for_place) - 1), packed[marked] >> (for_place + for_word), owners[at[marked]]


def _run_places(ordered: Ints) -> Ints:
    """The place of each number in its run of equal ones."""
    place = np.arange(len(ordered))
    starts = np.where(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)], place, 0)
    places: Ints = place - np.maximum.accumulate(starts)
    return places


def _moved(opens: Flags, kept: Flags) -> Flags:
    """Which kept words open a sentence: the first of those that are left of it."""
    sentence = np.cumsum(opens)[kept]
    return np.append(True, sentence[1:] != sentence[:-1])[: len(sentence)]
