"""Texts as runs of 64-bit word hashes: the one tokenisation that exact copies, near copies and leaks are all read from.

A word is a run of anything but white space and ordinary punctuation, case folded: `$5` and `+5` are words, for symbols change
what is said. One mark inside belongs to it (`don't`, `e-mail`, `3.5`, `7:30`), so that what a person changes as one word is one
word here. One character of a script that is written without spaces is one word. Everything happens on whole blocks of texts in
NumPy; only texts outside ASCII are first rewritten one by one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_UNSPACED = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_JOINERS = "'.,:-"
_PUNCTUATION = _JOINERS + ';!?"()[]{}`'
_OTHER_MARKS = (
    "´‘“”„«»…–—¿¡·،؛؟।。、，．！？；：「」『』（）【】《》〈〉\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
)
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_OUTSIDE_ASCII = re.compile(r"[^\x00-\x7f]+")
_MARK = re.compile(f"[{_OTHER_MARKS}{_INVISIBLE}’]")
_REWRITTEN = dict.fromkeys(_INVISIBLE, "") | {"’": "'"}

_BLOCK_CHARS = 1 << 20
"""Characters handled at once: large enough to amortise NumPy's calls, small enough that a block's arrays stay in the cache."""

_LONG_WORD_BYTES = 64
"""Words beyond this are hashed one by one: a file without spaces must not turn into a million vector passes."""

_SEPARATOR, _LETTER, _JOINER = 0, 1, 2


def _ascii_classes() -> bytes:
    """For each byte whether it separates words, is part of one, or joins its neighbours; from 0x80 on all are letters' parts."""
    marks = set(_PUNCTUATION) | {chr(code) for code in range(128) if chr(code).isspace()}
    classes = (_JOINER if chr(code) in _JOINERS else _SEPARATOR if chr(code) in marks else _LETTER for code in range(128))
    return bytes(classes) + bytes([_LETTER]) * 128


_CLASSES = _ascii_classes()
_LOWER = bytes(range(256)).lower()
_MASKS = np.array([(1 << (8 * length)) - 1 for length in range(9)], dtype=np.uint64)
_MIX_A, _MIX_B = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)


def mix(values: Hashes) -> Hashes:
    """The values with every input bit spread over every output bit (a bijection, so it adds no collisions)."""
    mixed = values >> _HALF
    mixed ^= values
    mixed *= _MIX_B
    shifted = mixed >> _HALF
    mixed ^= shifted
    mixed *= _MIX_B
    np.right_shift(mixed, _HALF, out=shifted)
    mixed ^= shifted
    return mixed


@dataclass(frozen=True, slots=True)
class Block:
    """A run of texts: the hashes of their words one after another, and where each text's words start.

    Attributes:
        hashes: word hashes, (words,).
        starts: (texts + 1,); the words of text `i` are `hashes[starts[i]:starts[i + 1]]`.
    """

    hashes: Hashes
    starts: Ints

    @property
    def lengths(self) -> Ints:
        """Words of each text, (texts,)."""
        return np.diff(self.starts)


class WordTable:
    """The words of many texts, in blocks, so that no array ever spans the whole corpus.

    Attributes:
        blocks: runs of texts, in order.
        first_rows: the first text of each block, and the number of texts, (blocks + 1,).
        lengths: words of each text, (texts,).
    """

    def __init__(self, texts: Sequence[str]) -> None:
        """Cut all texts into words, once."""
        self.blocks = [_block(part) for part in _parts(texts)]
        self.first_rows = np.cumsum([0, *(len(block.starts) - 1 for block in self.blocks)])
        self.lengths: Ints = np.concatenate([np.empty(0, dtype=np.int64), *(block.lengths for block in self.blocks)])

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, rows: Ints) -> Block:
        """The words of some texts as one block; `rows` ascending."""
        hashes = np.empty(int(self.lengths[rows].sum()), dtype=np.uint64)
        starts = np.concatenate([[0], np.cumsum(self.lengths[rows])])
        edges = np.searchsorted(rows, self.first_rows)
        for block, low, high, first in zip(self.blocks, edges, edges[1:], self.first_rows, strict=False):
            if low < high:
                hashes[starts[low] : starts[high]] = block.hashes[
                    spans(block.starts[rows[low:high] - first], self.lengths[rows[low:high]])
                ]
        return Block(hashes, starts)

    def text_keys(self) -> Hashes:
        """One hash for each text that depends on its words and their order, (texts,)."""
        return np.concatenate([np.empty(0, dtype=np.uint64), *(_ordered_sums(block) for block in self.blocks)])


def spans(starts: Ints, lengths: Ints) -> Ints:
    """The positions `start, start + 1, …` of each span, one span after another."""
    shift = starts - (np.cumsum(lengths) - lengths)
    positions: Ints = np.arange(int(lengths.sum()), dtype=np.int64) + np.repeat(shift, lengths)
    return positions


def _ordered_sums(block: Block) -> Hashes:
    """Each text's words as one number: its hashes are digits to an odd base modulo 2^64, counted from the text's first word."""
    powers = np.full(len(block.hashes) + 1, _MIX_A, dtype=np.uint64)
    powers[0] = 1
    np.cumprod(powers, out=powers)
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(block.hashes * powers[:-1], dtype=np.uint64)])
    inverses = np.full(len(block.hashes) + 1, pow(int(_MIX_A), -1, 1 << 64), dtype=np.uint64)
    inverses[0] = 1
    np.cumprod(inverses, out=inverses)
    from_first = np.diff(sums[block.starts]) * inverses[block.starts[:-1]]
    return mix(from_first + block.lengths.astype(np.uint64) * _MIX_B)


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
    start = 0
    while start < len(texts):
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _BLOCK_CHARS, side="right")))
        yield texts[start:stop]
        start = stop


def _plain(text: str) -> str:
    """A text outside ASCII with its own marks as spaces and unspaced characters apart, so that bytes alone tell words apart."""
    composed = text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
    return _OUTSIDE_ASCII.sub(lambda run: _rewritten(run.group()), composed)


@lru_cache(maxsize=4096)
def _rewritten(run: str) -> str:
    marked = _MARK.sub(lambda mark: _REWRITTEN.get(mark.group(), " "), run.casefold())
    return _UNSPACED.sub(r" \g<0> ", marked)


def _block(texts: Sequence[str]) -> Block:
    joined = "\n".join(texts)
    if joined.isascii():
        sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        raw = joined.encode("ascii")
    else:
        encoded = [(text if text.isascii() else _plain(text)).encode("utf-8", "surrogatepass") for text in texts]
        sizes = np.fromiter(map(len, encoded), dtype=np.int64, count=len(texts))
        raw = b"\n".join(encoded)
    starts, ends = _word_edges(np.frombuffer(raw.translate(_CLASSES), dtype=np.uint8))
    text_starts = np.cumsum(sizes + 1) - (sizes + 1)
    rows = np.searchsorted(starts, np.append(text_starts, len(raw)))
    return Block(_word_hashes(raw.translate(_LOWER), starts, ends), rows.astype(np.int64))


def _word_edges(classes: Bytes) -> tuple[Ints, Ints]:
    """Where words start and end: letters run on, also across one joining mark."""
    inside = np.zeros(len(classes) + 2, dtype=bool)
    np.equal(classes, _LETTER, out=inside[1:-1])
    joins = np.flatnonzero(classes == _JOINER)
    inside[joins[inside[joins] & inside[joins + 2]] + 1] = True
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    return edges[::2], edges[1::2]


def _word_hashes(lowered: bytes, starts: Ints, ends: Ints) -> Hashes:
    """A 64-bit hash of each word, from eight bytes at a time read at any address."""
    padded = lowered + bytes(_LONG_WORD_BYTES + 8)
    eights: Hashes = np.ndarray((len(padded) - 7,), dtype="<u8", buffer=padded, strides=(1,))
    lengths = ends - starts
    hashes = mix((eights[starts] & _MASKS[np.minimum(lengths, 8)]) ^ _MIX_A)
    pending = np.flatnonzero(lengths > 8)
    for offset in range(8, _LONG_WORD_BYTES, 8):
        if not len(pending):
            break
        rest = np.minimum(lengths[pending] - offset, 8)
        hashes[pending] = mix((hashes[pending] * _MIX_A) ^ (eights[starts[pending] + offset] & _MASKS[rest]))
        pending = pending[lengths[pending] > offset + 8]
    for word in pending.tolist():
        digest = hashlib.blake2b(lowered[starts[word] : ends[word]], digest_size=8).digest()
        hashes[word] = np.frombuffer(digest, dtype="<u8")[0]
    return hashes
