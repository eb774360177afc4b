"""What two texts say beyond the sentences that they share.

Two questions on one long passage share nearly all their words: what counts is the sentences that they do not share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from truetune.stages.data.neighbours.comparison import Texts, chunks, gathered_rows
from truetune.stages.data.neighbours.order import in_order
from truetune.stages.data.neighbours.words import Block, Flags, Hashes, Ints, mix, occurrences, ordered_sums, spans

REST_WORDS_FRAC = 0.5
"""Of the sentences that two near texts do not share, so many words must still be shared, in order. Source: stated; an edit
spreads over sentences and leaves most of each, another question under the same passage leaves few."""

_CHUNK_SENTENCES = 1 << 16


@dataclass(frozen=True, slots=True)
class _Sentences:
    """The sentences of some texts: a key each, the words of each in `words`, and which are each text's."""

    keys: Hashes
    words: Block
    starts: Ints


def rests_agree(left: Texts, right: Texts) -> Flags:
    """For each pair whether the sentences that only one of the two has are nearly those that only the other has, (pairs,).

    Where one text has no sentence of its own, the other merely says more.
    """
    rows, number = gathered_rows(left, right)
    sentences = _sentences(left, rows)
    a, b = number[left.rows], number[right.rows]
    agree = np.empty(len(a), dtype=bool)
    counts = np.diff(sentences.starts)
    for some in chunks(counts[a] + counts[b], _CHUNK_SENTENCES):
        agree[some] = _agree(sentences, a[some], b[some])
    return agree


def _sentences(texts: Texts, rows: Ints) -> _Sentences:
    block = texts.table.take(rows)
    opens = np.flatnonzero(texts.table.take_openings(rows))
    bounds = np.append(opens, len(block.hashes))
    starts = np.searchsorted(opens, block.starts).astype(np.int64)
    keys = ordered_sums(mix(block.hashes.astype(np.uint64)), bounds)
    # The second time that a text says a sentence is another sentence: one text may say it once and the other twice.
    text = np.repeat(np.arange(len(rows), dtype=np.uint64), np.diff(starts))
    keys = keys + occurrences(mix(keys ^ mix(text))).astype(np.uint64)
    return _Sentences(keys, Block(block.hashes, bounds), starts)


def _agree(sentences: _Sentences, a: Ints, b: Ints) -> Flags:
    counts = np.diff(sentences.starts)
    which = [spans(sentences.starts[side], counts[side]) for side in (a, b)]
    pair = [np.repeat(np.arange(len(a)), counts[side]) for side in (a, b)]
    said = [mix(sentences.keys[w] ^ mix(p.astype(np.uint64))) for w, p in zip(which, pair, strict=True)]
    rests = [_rest(sentences, which[side], pair[side], ~np.isin(said[side], said[1 - side]), len(a)) for side in (0, 1)]
    lengths = [rest.lengths for rest in rests]
    pairs = np.arange(len(a))
    told = np.flatnonzero((lengths[0] > 0) & (lengths[1] > 0))
    agree = np.ones(len(a), dtype=bool)
    common = in_order(rests[0], rests[1], pairs[told], pairs[told])
    agree[told] = common >= REST_WORDS_FRAC * np.maximum(lengths[0], lengths[1])[told]
    return agree


def _rest(sentences: _Sentences, which: Ints, pair: Ints, own: Flags, pairs: int) -> Block:
    """For each pair the words of one side's own sentences."""
    which, pair = which[own], pair[own]
    lengths = sentences.words.lengths[which]
    hashes = sentences.words.hashes[spans(sentences.words.starts[which], lengths)]
    words = np.bincount(pair, weights=lengths, minlength=pairs).astype(np.int64)
    return Block(hashes, np.concatenate([[0], np.cumsum(words)]))
