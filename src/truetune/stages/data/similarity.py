"""Who is similar to whom: one index over prompts that duplicates, contradictions, leaks, splits and the unique count share.

Prompts of the same words are one node. MinHash with banding (rensa) nominates pairs of nodes; their words, compared exactly,
decide. So a result never depends on hashing luck, except for a pair that was not nominated at all: `1 - (1 - J^4)^32`, which is
0.2 % at the Jaccard similarity that an edit of 20 % of the words leaves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import rensa
from scipy import sparse
from scipy.sparse import csgraph

from truetune.stages.data.shared_wording import SharedWordings
from truetune.stages.data.text import normalise, sentences, word_features, words

NEAR_WORDS_FRAC = 0.8
"""Two texts are near-duplicates where one keeps so much of the longer one's words, in order: an edit of up to 20 % of the words.
Source: the definition of a near-duplicate as a token edit of 5 to 20 %; recall and natural rates measured on three corpora stand
in docs/errors/data.duplicate.near.md."""

REORDERED_JACCARD = 0.9
"""Two texts that share so many words are near-duplicates in any order ("roll a 6 sided die", "roll a die, 6 sided"). Source:
measured: of 28,000 questions in CLINC150 and SNIPS none shares so many with one that has another label."""

LONG_WORDS = 16
"""From this many words on, a near-duplicate is a copy; below, only `near_duplicate_jaccard` makes one. Source: measured on
CLINC150 and SNIPS: short questions for different things share most words every day ("when do i change my oil", "my tires"), and
none of 745 questions of 16 words or more that share 80 % has another label."""

REST_WORDS_FRAC = 0.5
"""Of the sentences that two near texts do not share, so many words must still be shared, in order. Source: stated; an edit
spreads over sentences and leaves most of each, another question under the same passage leaves few."""

_COMPARED_CHARACTERS = 1 << 18
"""Of a longer prompt its first and last half of so many characters are compared, so that one huge row cannot take all memory."""

NOMINATE_JACCARD = 0.6
"""Pairs below are not kept. Source: an edit of 20 % of the words leaves a Jaccard similarity of at least 0.8 / 1.2 = 0.667."""

_PERMUTATIONS, _BAND_ROWS, _SEED = 128, 4, 20_241
_BUCKET_NEIGHBOURS = 24
_HASH_CHUNK, _COMPARE_CHUNK = 1 << 13, 1 << 15
_PLAUSIBLE_FRAC = 0.5
"""A pair at the lowest kept similarity of an edited copy (0.667) agrees in so few of 128 hashes once in 30,000 times (4 standard
deviations), so this saves exact comparisons and loses nothing that counts."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Signatures = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two nodes with many words in common.

    Attributes:
        a: the smaller node.
        b: the larger node.
        jaccard: of their words, each as often as it stands there.
        is_near: one is a near-duplicate of the other.
        is_copy: so near that only one of them counts.
    """

    a: int
    b: int
    jaccard: float
    is_near: bool
    is_copy: bool


class PromptIndex:
    """Prompts as nodes of equal words, and the verified pairs between them.

    Attributes:
        node_of: the node of each prompt, by position.
        members: the positions of each node's prompts, ascending.
        pairs: all pairs from `NOMINATE_JACCARD` on, sorted.
    """

    def __init__(self, prompts: Sequence[str], copy_jaccard: float) -> None:
        """Index prompts; `copy_jaccard` is from which similarity on short prompts are copies of each other."""
        keys: dict[str, int] = {}
        self.node_of: list[int] = []
        self.members: list[list[int]] = []
        for position, prompt in enumerate(prompts):
            compared = _compared(prompt)
            node = keys.setdefault(" ".join(words(compared)) or normalise(compared), len(self.members))
            if node == len(self.members):
                self.members.append([])
            self.node_of.append(node)
            self.members[node].append(position)
        self._texts = list(keys)
        nominated = _nominated_pairs(self._texts, copy_jaccard)
        self.pairs = [pair for pair in nominated if self._same_question(pair, prompts)]

    def _same_question(self, pair: Pair, prompts: Sequence[str]) -> bool:
        """Two questions on one long passage share nearly all their words: what counts is the sentences that they do not share."""
        first, second = (Counter(sentences(_compared(prompts[self.members[node][0]]))) for node in (pair.a, pair.b))
        rests = [" ".join(rest.elements()).split() for rest in (first - second, second - first)]
        return not all(rests) or words_in_order(*rests) >= REST_WORDS_FRAC * max(map(len, rests))

    def words_of(self, node: int) -> list[str]:
        """The node's words, in order."""
        return self._texts[node].split(" ")

    def copy_clusters(self) -> list[int]:
        """For each prompt the smallest position in its cluster: same words, or linked by copies."""
        edges = [(pair.a, pair.b) for pair in self.pairs if pair.is_copy]
        component = components(len(self.members), edges)
        first: dict[int, int] = {}
        return [first.setdefault(component[node], position) for position, node in enumerate(self.node_of)]


def _compared(prompt: str) -> str:
    half = _COMPARED_CHARACTERS // 2
    return prompt if len(prompt) <= _COMPARED_CHARACTERS else f"{prompt[:half]}\n{prompt[-half:]}"


def components(size: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """For each of `size` things the number of its connected component."""
    if not size:
        return []
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    graph = sparse.coo_matrix((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(size, size))
    labels: list[int] = csgraph.connected_components(graph, directed=False)[1].tolist()
    return labels


def words_in_order(a: Sequence[str], b: Sequence[str]) -> int:
    """How many words two texts have in common in the same order: the length of their longest common subsequence.

    Source: Hyyrö 2004, "Bit-parallel LCS-length computation revisited", with a machine word as long as the text.
    """
    masks: dict[str, int] = {}
    for place, word in enumerate(a):
        masks[word] = masks.get(word, 0) | 1 << place
    full = (1 << len(a)) - 1
    unmatched = full
    for word in b:
        matched = unmatched & masks.get(word, 0)
        unmatched = ((unmatched + matched) | (unmatched - matched)) & full
    return len(a) - unmatched.bit_count()


def near_words(a: Sequence[str], b: Sequence[str]) -> bool:
    """Is one text the other with at most 20 % of its words edited?"""
    return words_in_order(a, b) >= NEAR_WORDS_FRAC * max(len(a), len(b))


def _nominated_pairs(texts: Sequence[str], copy_jaccard: float) -> list[Pair]:
    if len(texts) < 2:
        return []
    table = _table(texts)
    a, b = _candidates(table.signatures)
    # Shared wording is left out, so two texts are comparable only where the same wording was: "translate X", "summarise X".
    comparable = table.wording[a] == table.wording[b]
    a, b = a[comparable], b[comparable]
    similarity = _jaccards(table, a, b)
    kept = np.flatnonzero(similarity >= NOMINATE_JACCARD)
    order = kept[np.lexsort((b[kept], a[kept]))]
    return [_pair(int(a[i]), int(b[i]), float(similarity[i]), table, copy_jaccard) for i in order]


def _pair(a: int, b: int, similarity: float, table: _Table, copy_jaccard: float) -> Pair:
    left, right = (table.wordings.rest_of(table.texts[node].split(" "), int(table.wording[node])) for node in (a, b))
    near = similarity >= REORDERED_JACCARD or near_words(left, right)
    copy = near and (similarity >= copy_jaccard or min(len(left), len(right)) >= LONG_WORDS)
    return Pair(a, b, similarity, near, copy)


@dataclass(frozen=True)
class _Table:
    """Texts as numbers: hashed features, flat, `starts[i]:starts[i + 1]` those of text `i`; and a signature a text."""

    texts: Sequence[str]
    wordings: SharedWordings
    wording: Ints
    features: npt.NDArray[np.uint64]
    starts: Ints
    signatures: Signatures


def _table(texts: Sequence[str]) -> _Table:
    """Hash and sign the texts, some at a time: as strings their words take ten times the memory."""
    wordings = SharedWordings(texts)
    which: list[int] = []
    lengths: list[int] = []
    features, signatures = [], []
    for start in range(0, len(texts), _HASH_CHUNK):
        tokens = [text.split(" ") for text in texts[start : start + _HASH_CHUNK]]
        chunk = [wordings.which(row) for row in tokens]
        rest = [word_features(wordings.rest_of(row, number)) for row, number in zip(tokens, chunk, strict=True)]
        hashes = rensa.RMinHash.hash_token_sets(rest)
        digests = rensa.RMinHash.digest_matrix_from_token_hash_sets(hashes, num_perm=_PERMUTATIONS, seed=_SEED)
        which.extend(chunk)
        lengths.extend(map(len, hashes))
        features.append(np.fromiter((h for row in hashes for h in row), dtype=np.uint64))
        signatures.append(np.array(digests.to_rows(), dtype=np.uint32))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return _Table(texts, wordings, np.array(which, dtype=np.int64), np.concatenate(features), starts, np.concatenate(signatures))


def _candidates(table: Signatures) -> tuple[Ints, Ints]:
    """Pairs `a < b` that agree in all rows of at least one band. A crowded bucket pairs each member with its neighbours only."""
    size = len(table)
    codes: list[Ints] = []
    for band in range(0, _PERMUTATIONS, _BAND_ROWS):
        keys = _band_keys(table[:, band : band + _BAND_ROWS])
        codes.append(_plausible(_band_pairs(keys, table[:, (band + 5) % _PERMUTATIONS], size), table))
    pairs = np.unique(np.concatenate(codes))
    return pairs // size, pairs % size


def _plausible(pairs: Ints, table: Signatures) -> Ints:
    """The pairs whose signatures agree well enough to be worth comparing exactly; long texts meet often and agree rarely."""
    size = len(table)
    kept = []
    for start in range(0, len(pairs), _COMPARE_CHUNK):
        chunk = pairs[start : start + _COMPARE_CHUNK]
        agreeing = np.count_nonzero(table[chunk // size] == table[chunk % size], axis=1)
        kept.append(chunk[agreeing >= _PLAUSIBLE_FRAC * _PERMUTATIONS])
    return np.concatenate(kept) if kept else pairs


def _band_keys(columns: Signatures) -> npt.NDArray[np.uint64]:
    """One 64-bit key for a band's hash values; a collision only nominates a pair that verification rejects."""
    key = np.zeros(len(columns), dtype=np.uint64)
    for column in columns.T:
        key = (key ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key


def _band_pairs(keys: npt.NDArray[np.uint64], tie_break: Signatures, size: int) -> Ints:
    """Pairs in the same bucket as `smaller * size + larger`; neighbours in a crowded bucket differ from band to band."""
    order = np.lexsort((tie_break, keys))
    sorted_keys = keys[order]
    found: list[Ints] = []
    for step in range(1, _BUCKET_NEIGHBOURS + 1):
        same = np.flatnonzero(sorted_keys[step:] == sorted_keys[:-step])
        if not len(same):
            break
        left, right = order[same], order[same + step]
        found.append(np.minimum(left, right) * size + np.maximum(left, right))
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _jaccards(table: _Table, a: Ints, b: Ints) -> Floats:
    """Exact Jaccard similarity of the features of each pair."""
    nodes, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    rows = [table.features[table.starts[node] : table.starts[node + 1]] for node in nodes]
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    columns = np.unique(np.concatenate(rows or [table.features[:0]]), return_inverse=True)[1]
    shape = (len(rows), int(columns.max(initial=0)) + 1)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    matrix = sparse.csr_matrix((np.ones(len(columns), dtype=np.int32), columns, starts), shape=shape)
    a, b = places[: len(a)], places[len(a) :]
    result = np.empty(len(a), dtype=np.float64)
    for start in range(0, len(a), _COMPARE_CHUNK):
        i, j = a[start : start + _COMPARE_CHUNK], b[start : start + _COMPARE_CHUNK]
        common = np.asarray(matrix[i].multiply(matrix[j]).sum(axis=1)).ravel()
        result[start : start + _COMPARE_CHUNK] = common / (lengths[i] + lengths[j] - common)
    return result


def by_node(positions: Sequence[int], node_of: Sequence[int]) -> dict[int, list[int]]:
    """Positions grouped by their node."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for position in positions:
        groups[node_of[position]].append(position)
    return dict(groups)
