"""Who is similar to whom: one index over prompts that duplicates, contradictions, leaks, splits and the unique count share.

Prompts of the same words are one node. MinHash with banding (rensa) nominates pairs of nodes; their words, compared exactly,
decide. So a result never depends on hashing luck, except for a pair that was not nominated at all: `1 - (1 - J^4)^32`, which is
0.2 % at the Jaccard similarity that an edit of 20 % of the words leaves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import rensa
from scipy import sparse
from scipy.sparse import csgraph

from truetune.stages.data.shared_wording import without_shared_wording
from truetune.stages.data.text import normalise, words

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

NOMINATE_JACCARD = 0.6
"""Pairs below are not kept. Source: an edit of 20 % of the words leaves a Jaccard similarity of at least 0.8 / 1.2 = 0.667."""

_PERMUTATIONS, _BAND_ROWS, _SEED = 128, 4, 20_241
_BUCKET_NEIGHBOURS = 24
_VERIFY_CHUNK = 1 << 18

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


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
        node_words: each node's words, in order.
        pairs: all pairs from `NOMINATE_JACCARD` on, sorted.
    """

    def __init__(self, prompts: Sequence[str], copy_jaccard: float) -> None:
        """Index prompts; `copy_jaccard` is from which similarity on short prompts are copies of each other."""
        keys: dict[str, int] = {}
        self.node_of: list[int] = []
        self.members: list[list[int]] = []
        self.node_words: list[list[str]] = []
        for position, prompt in enumerate(prompts):
            tokens = words(prompt) or [normalise(prompt)]
            node = keys.setdefault(" ".join(tokens), len(self.members))
            if node == len(self.members):
                self.members.append([])
                self.node_words.append(tokens)
            self.node_of.append(node)
            self.members[node].append(position)
        self.pairs = _verified_pairs(self.node_words, copy_jaccard)

    def copy_clusters(self) -> list[int]:
        """For each prompt the smallest position in its cluster: same words, or linked by copies."""
        edges = [(pair.a, pair.b) for pair in self.pairs if pair.is_copy]
        component = components(len(self.members), edges)
        first: dict[int, int] = {}
        return [first.setdefault(component[node], position) for position, node in enumerate(self.node_of)]


def components(size: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """For each of `size` things the number of its connected component."""
    if not size:
        return []
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    graph = sparse.coo_matrix((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(size, size))
    labels: list[int] = csgraph.connected_components(graph, directed=False)[1].tolist()
    return labels


def jaccard(a: Sequence[str], b: Sequence[str]) -> float:
    """Exact Jaccard similarity of two sets of word features; 1.0 where both are empty."""
    left, right = set(a), set(b)
    return len(left & right) / len(left | right) if left or right else 1.0


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


def _verified_pairs(node_words: Sequence[list[str]], copy_jaccard: float) -> list[Pair]:
    if len(node_words) < 2:
        return []
    features, wording = without_shared_wording(node_words)
    matrix, hashes = _as_matrix(features)
    lengths = np.diff(matrix.indptr)
    a, b = _candidates(hashes)
    # Shared wording is left out, so two texts are comparable only where the same wording was: "translate X", "summarise X".
    possible = (np.minimum(lengths[a], lengths[b]) >= NOMINATE_JACCARD * np.maximum(lengths[a], lengths[b])) & (
        wording[a] == wording[b]
    )
    a, b = a[possible], b[possible]
    similarity = _jaccards(matrix, a, b)
    kept = np.flatnonzero(similarity >= NOMINATE_JACCARD)
    order = kept[np.lexsort((b[kept], a[kept]))]
    return [_pair(int(a[i]), int(b[i]), float(similarity[i]), features, copy_jaccard) for i in order]


def _pair(a: int, b: int, similarity: float, features: Sequence[list[str]], copy_jaccard: float) -> Pair:
    left, right = ([feature.split("\t")[0] for feature in features[node]] for node in (a, b))
    near = similarity >= REORDERED_JACCARD or near_words(left, right)
    copy = near and (similarity >= copy_jaccard or min(len(left), len(right)) >= LONG_WORDS)
    return Pair(a, b, similarity, near, copy)


def _as_matrix(features: Sequence[Sequence[str]]) -> tuple[sparse.csr_matrix, list[list[int]]]:
    """Nodes by features, 1 where a node has the feature; and each node's feature hashes."""
    hashes: list[list[int]] = rensa.RMinHash.hash_token_sets(features)
    flat = np.fromiter((h for row in hashes for h in row), dtype=np.uint64)
    columns = np.unique(flat, return_inverse=True)[1]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in hashes])])
    shape = (len(hashes), int(columns.max()) + 1)
    return sparse.csr_matrix((np.ones(len(columns), dtype=np.int32), columns, starts), shape=shape), hashes


def _candidates(hashes: list[list[int]]) -> tuple[Ints, Ints]:
    """Pairs `a < b` that agree in all rows of at least one band. A crowded bucket pairs each member with its neighbours only."""
    digests = rensa.RMinHash.digest_matrix_from_token_hash_sets(hashes, num_perm=_PERMUTATIONS, seed=_SEED)
    table = np.array(digests.to_rows(), dtype=np.uint64)
    size = len(hashes)
    codes: list[Ints] = []
    for band in range(0, _PERMUTATIONS, _BAND_ROWS):
        codes.append(
            np.unique(_band_pairs(_band_keys(table[:, band : band + _BAND_ROWS]), table[:, (band + 5) % _PERMUTATIONS], size))
        )
    pairs = np.unique(np.concatenate(codes))
    return pairs // size, pairs % size


def _band_keys(columns: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """One 64-bit key for a band's hash values; a collision only nominates a pair that verification rejects."""
    key = np.zeros(len(columns), dtype=np.uint64)
    for column in columns.T:
        key = (key ^ column) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key


def _band_pairs(keys: npt.NDArray[np.uint64], tie_break: npt.NDArray[np.uint64], size: int) -> Ints:
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


def _jaccards(matrix: sparse.csr_matrix, a: Ints, b: Ints) -> Floats:
    lengths = np.diff(matrix.indptr)
    result = np.empty(len(a), dtype=np.float64)
    for start in range(0, len(a), _VERIFY_CHUNK):
        i, j = a[start : start + _VERIFY_CHUNK], b[start : start + _VERIFY_CHUNK]
        common = np.asarray(matrix[i].multiply(matrix[j]).sum(axis=1)).ravel()
        result[start : start + _VERIFY_CHUNK] = common / (lengths[i] + lengths[j] - common)
    return result


def by_node(positions: Sequence[int], node_of: Sequence[int]) -> dict[int, list[int]]:
    """Positions grouped by their node."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for position in positions:
        groups[node_of[position]].append(position)
    return dict(groups)
