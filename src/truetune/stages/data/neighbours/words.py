"""Texts as runs of word hashes: the one tokenisation that exact copies, near copies and leaks are all read from.

Kept are four bytes a word (of many texts in a file), one bit a word (does it open a sentence?) and sixteen bytes a text, whatever
the words are.

A word is a run of anything but white space and ordinary punctuation, case folded: `$5` and `+5` are words, for symbols change
what is said. One mark inside belongs to it (`don't`, `e-mail`, `3.5`, `7:30`), so that what a person changes as one word is one
word here. One character of a script that is written without spaces is one word. Everything happens on whole blocks of texts in
NumPy; only texts outside ASCII are first rewritten one by one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from truetune.core.compiled import COMPILED, CompiledPart
from truetune.stages.data.neighbours.spool import Spool

Hashes = npt.NDArray[np.uint64]
Words = npt.NDArray[np.uint32]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_UNSPACED = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_JOINERS = "'.,:-"
_PUNCTUATION = _JOINERS + ';!?"()[]{}`'
_OTHER_MARKS = (
    "´‘“”„«»…–—¿¡·،؛؟।。、，．！？；：「」『』（）【】《》〈〉\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
)
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_OUTSIDE_ASCII = re.compile(r"[^\x00-\x7f]+")
_MARK = re.compile(f"[{_OTHER_MARKS}{_INVISIBLE}’]")
_REWRITTEN = dict.fromkeys(_INVISIBLE, "") | {"’": "'"} | {"。": ". ", "？": "? ", "！": "! "}

_BLOCK_CHARS = 1 << 20
"""Characters handled at once: large enough to amortise NumPy's calls, small enough that a block's arrays stay in the cache."""

_LONG_WORD_BYTES = 64
"""Words beyond this go on one by one: a file without spaces must not turn into a million vector passes."""

_SEPARATOR, _LETTER, _JOINER = 0, 1, 2


def _ascii_classes() -> bytes:
    """For each byte whether it separates words, is part of one, or joins its neighbours; from 0x80 on all are letters' parts."""
    marks = set(_PUNCTUATION) | {chr(code) for code in range(128) if chr(code).isspace()}
    classes = (_JOINER if chr(code) in _JOINERS else _SEPARATOR if chr(code) in marks else _LETTER for code in range(128))
    return bytes(classes) + bytes([_LETTER]) * 128


_CLASSES = _ascii_classes()
_SPACE, _STOP, _LINE_END = 1, 2, 3
_SENTENCE_CLASSES = bytes(
    _LINE_END if chr(code) == "\n" else _SPACE if code < 128 and chr(code).isspace() else _STOP if chr(code) in ".?!" else 0
    for code in range(256)
)
_LOWER = bytes(range(256)).lower()
_TABLES = _CLASSES + _SENTENCE_CLASSES + _LOWER
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
        hashes: word hashes, (words,). Two words in four thousand million share one; the keys of whole texts are longer.
        starts: (texts + 1,); the words of text `i` are `hashes[starts[i]:starts[i + 1]]`.
    """

    hashes: Words
    starts: Ints

    @property
    def lengths(self) -> Ints:
        """Words of each text, (texts,)."""
        return np.diff(self.starts)


class WordTable:
    """The words of many texts, in blocks, so that no array ever spans the whole corpus.

    Attributes:
        blocks: runs of texts, in order.
        openings: for each block its words that open a sentence, as packed bits.
        first_rows: the first text of each block, and the number of texts, (blocks + 1,).
        lengths: words of each text, (texts,).
    """

    def __init__(self, blocks: Sequence[Block], openings: Sequence[Bytes]) -> None:
        """A table of texts that are words already."""
        self.blocks, self.openings = blocks, openings
        self.first_rows = np.cumsum([0, *(len(block.starts) - 1 for block in blocks)])
        self.lengths: Ints = np.concatenate([np.empty(0, dtype=np.int64), *(block.lengths for block in blocks)])

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, rows: Ints) -> Block:
        """The words of some texts as one block; `rows` ascending."""
        parts = [block.hashes[places] for block, _, places in self._places(rows)]
        hashes = np.concatenate([np.empty(0, dtype=np.uint32), *parts])
        return Block(hashes, np.concatenate([[0], np.cumsum(self.lengths[rows])]))

    def take_openings(self, rows: Ints) -> Flags:
        """For each word of `take(rows)` whether it opens a sentence."""
        parts = [unpacked(bits, len(block.hashes))[places] for block, bits, places in self._places(rows)]
        return np.concatenate([np.empty(0, dtype=bool), *parts])

    def take_ends(self, rows: Ints, words: int, *, last: bool) -> Words:
        """The first or last so many words of some texts, none of which has fewer; `rows` ascending, (rows, words)."""
        parts = [np.empty((0, words), dtype=np.uint32)]
        for block, low, high, number in self._having(rows):
            texts = rows[low:high] - self.first_rows[number]
            start = block.starts[texts + 1] - words if last else block.starts[texts]
            parts.append(block.hashes[start[:, None] + np.arange(words)])
        return np.concatenate(parts)

    def _places(self, rows: Ints) -> Iterator[tuple[Block, Bytes, Ints | slice]]:
        """Each block that has some of the texts, and where in it their words are."""
        for block, low, high, number in self._having(rows):
            some = rows[low:high]
            texts = some - self.first_rows[number]
            one_run = int(some[-1] - some[0]) == high - low - 1
            run = slice(int(block.starts[texts[0]]), int(block.starts[texts[-1] + 1]))
            yield block, self.openings[number], run if one_run else spans(block.starts[texts], self.lengths[some])

    def _having(self, rows: Ints) -> Iterator[tuple[Block, int, int, int]]:
        """Each block that has some of the texts, which of `rows` it has, and its number."""
        edges = np.searchsorted(rows, self.first_rows).tolist()
        for number, (block, low, high) in enumerate(zip(self.blocks, edges, edges[1:], strict=False)):
            if low < high:
                yield block, low, high, number


class TableWriter:
    """A table that is made block by block; the words of many texts go to a file."""

    def __init__(self, scratch_dir: Path | None) -> None:
        """The file lies in `scratch_dir`, or where the system keeps temporary files."""
        self._words = Spool(np.uint32, scratch_dir)
        self._starts: list[Ints] = []
        self._openings: list[Bytes] = []

    def put(self, block: Block, openings: Bytes) -> None:
        """One more block, and as packed bits which of its words open a sentence."""
        self._words.put(block.hashes)
        self._starts.append(block.starts)
        self._openings.append(openings)

    def table(self) -> WordTable:
        """What was put."""
        words = self._words.sealed().values
        ends = np.cumsum([int(starts[-1]) for starts in self._starts])
        hashes = np.split(words, ends[:-1]) if len(ends) else []
        return WordTable([Block(*block) for block in zip(hashes, self._starts, strict=True)], self._openings)


def read_texts(texts: Iterable[str], scratch_dir: Path | None = None) -> tuple[WordTable, Hashes]:
    """All texts cut into words, once, and one key for each text that depends on its words and their order, (texts,)."""
    cut = _cut if COMPILED is None else _CompiledCut(COMPILED)
    writer, keys = TableWriter(scratch_dir), [np.empty(0, dtype=np.uint64)]
    for part in parts(texts):
        run = cut(part)
        keys.append(run.keys)
        writer.put(Block(run.hashes, run.starts), np.packbits(run.opens))
    return writer.table(), np.concatenate(keys)


def unpacked(bits: Bytes, count: int) -> Flags:
    """So many flags of a packed array."""
    return np.unpackbits(bits, count=count).view(np.bool_)


def spans(starts: Ints, lengths: Ints) -> Ints:
    """The positions `start, start + 1, …` of each span, one span after another."""
    shift = starts - (np.cumsum(lengths) - lengths)
    positions: Ints = np.arange(int(lengths.sum()), dtype=np.int64) + np.repeat(shift, lengths)
    return positions


def occurrences(keys: Hashes) -> Ints:
    """For each key how many equal ones stand before it, (keys,)."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    place = np.arange(len(keys), dtype=np.int64)
    starts = np.where(np.append(True, ordered[1:] != ordered[:-1])[: len(keys)], place, 0)
    counts = np.empty(len(keys), dtype=np.int64)
    counts[order] = place - np.maximum.accumulate(starts)
    return counts


def ordered_sums(hashes: Hashes, starts: Ints) -> Hashes:
    """Each run of hashes as one number: they are digits to an odd base modulo 2^64, counted from the run's first."""
    powers = np.full(len(hashes) + 1, _MIX_A, dtype=np.uint64)
    powers[0] = 1
    np.cumprod(powers, out=powers)
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(hashes * powers[:-1], dtype=np.uint64)])
    inverses = np.full(len(hashes) + 1, pow(int(_MIX_A), -1, 1 << 64), dtype=np.uint64)
    inverses[0] = 1
    np.cumprod(inverses, out=inverses)
    from_first = np.diff(sums[starts]) * inverses[starts[:-1]]
    return mix(from_first + np.diff(starts).astype(np.uint64) * _MIX_A)


def parts(texts: Iterable[str]) -> Iterator[list[str]]:
    """Texts in runs that are worth NumPy's calls and stay in the cache."""
    part: list[str] = []
    characters = 0
    for text in texts:
        if part and characters + len(text) > _BLOCK_CHARS:
            yield part
            part, characters = [], 0
        part.append(text)
        characters += len(text)
    if part:
        yield part


def _plain(text: str) -> str:
    """A text outside ASCII with its own marks as spaces and unspaced characters apart, so that bytes alone tell words apart."""
    return _OUTSIDE_ASCII.sub(lambda run: _rewritten(run.group()), _composed(text))


def _composed(text: str) -> str:
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


@lru_cache(maxsize=4096)
def _rewritten(run: str) -> str:
    marked = _MARK.sub(lambda mark: _REWRITTEN.get(mark.group(), " "), run.casefold())
    return _UNSPACED.sub(r" \g<0> ", marked)


@lru_cache(maxsize=4096)
def _rewritten_bytes(run: bytes) -> bytes:
    return _encoded(_rewritten(run.decode("utf-8", "surrogatepass")))


@dataclass(frozen=True, slots=True)
class _Cut:
    """Texts as words: their hashes, where each text's words start, which words open a sentence, and each text's key."""

    hashes: Words
    starts: Ints
    opens: Flags
    keys: Hashes


def _cut(texts: Sequence[str]) -> _Cut:
    """The NumPy code that says what a word and its hash are; the compiled part does the same."""
    cut = cut_words(texts)
    hashes = cut.hashes(cut.ends)
    words = (hashes >> _HALF).astype(np.uint32)
    return _Cut(words, cut.rows, _opens(cut.raw, cut.starts), ordered_sums(hashes, cut.rows))


class _CompiledCut:
    """The same by the compiled part, which fills arrays that are kept from block to block."""

    def __init__(self, compiled: CompiledPart) -> None:
        """No words yet."""
        self._compiled = compiled
        self._hashes = np.empty(0, dtype=np.uint32)
        self._opens = np.empty(0, dtype=np.bool_)

    def __call__(self, texts: Sequence[str]) -> _Cut:
        """Cut a block; a word takes a byte and another one parts it from the next."""
        said = [text if text.isascii() else self._plain(text) for text in texts]
        most = (sum(map(len, said)) + len(said)) // 2
        if most > len(self._hashes):
            self._hashes, self._opens = np.empty(most, dtype=np.uint32), np.empty(most, dtype=np.bool_)
        starts, keys = np.empty(len(said) + 1, dtype=np.int64), np.empty(len(said), dtype=np.uint64)
        self._compiled.cut(said, _TABLES, self._hashes, self._opens, starts, keys)
        words = int(starts[-1])
        return _Cut(self._hashes[:words].copy(), starts, self._opens[:words], keys)

    def _plain(self, text: str) -> bytes:
        """The bytes of `_plain(text)`."""
        return self._compiled.rewritten(_encoded(_composed(text)), _rewritten_bytes)


@dataclass(frozen=True, slots=True)
class CutWords:
    """Texts as one run of bytes, and where in it words are.

    Attributes:
        raw: the texts, a line's end between them.
        starts: the first byte of each word, (words,).
        ends: the byte after each word, (words,).
        rows: the first word of each text, and the number of words, (texts + 1,).
    """

    raw: bytes
    starts: Ints
    ends: Ints
    rows: Ints

    def hashes(self, ends: Ints) -> Hashes:
        """A 64-bit hash of each word up to `ends`, case folded."""
        return _word_hashes(self.raw.translate(_LOWER), self.starts, ends)

    def holding(self, low: str, high: str) -> Flags:
        """Which words hold a byte from `low` to `high`."""
        raw = np.frombuffer(self.raw, dtype=np.uint8)
        before = np.concatenate([[0], np.cumsum((raw >= ord(low)) & (raw <= ord(high)))])
        return np.asarray(before[self.ends] > before[self.starts])


def cut_words(texts: Sequence[str]) -> CutWords:
    """Where the words of some texts are."""
    joined = "\n".join(texts)
    if joined.isascii():
        sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        raw = joined.encode("ascii")
    else:
        said = [text if text.isascii() else _plain(text) for text in texts]
        sizes = np.fromiter((len(t) if t.isascii() else len(_encoded(t)) for t in said), dtype=np.int64, count=len(said))
        raw = _encoded("\n".join(said))
    starts, ends = _word_edges(np.frombuffer(raw.translate(_CLASSES), dtype=np.uint8))
    text_starts = np.cumsum(sizes + 1) - (sizes + 1)
    return CutWords(raw, starts, ends, np.searchsorted(starts, np.append(text_starts, len(raw))).astype(np.int64))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _opens(raw: bytes, starts: Ints) -> Flags:
    """Which words are the first after a line's end, or after a full stop, question or exclamation mark with a space behind it."""
    classes = np.frombuffer(raw.translate(_SENTENCE_CLASSES), dtype=np.uint8)
    stops = np.flatnonzero(classes == _STOP)
    stops = stops[np.isin(classes[np.minimum(stops + 1, len(classes) - 1)], (_SPACE, _LINE_END))]
    opens = np.zeros(len(starts) + 1, dtype=bool)
    opens[0] = True
    opens[np.searchsorted(starts, stops)] = True
    opens[np.searchsorted(starts, np.flatnonzero(classes == _LINE_END))] = True
    return opens[:-1]


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
        hashes[word] = mix((hashes[word : word + 1] * _MIX_A) ^ _summed(lowered[starts[word] + _LONG_WORD_BYTES : ends[word]]))[0]
    return hashes


def _summed(rest: bytes) -> Hashes:
    """What a long word says beyond its first bytes: its eights, mixed, as digits to an odd base, (1,)."""
    eights = np.frombuffer(rest + bytes(-len(rest) % 8), dtype="<u8").astype(np.uint64)
    powers = np.full(len(eights), _MIX_A, dtype=np.uint64)
    powers[0] = 1
    summed: Hashes = np.sum(mix(eights) * np.cumprod(powers), dtype=np.uint64, keepdims=True)
    return summed
