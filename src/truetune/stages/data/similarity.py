"""Who is similar to whom: one index over prompts that duplicates, contradictions, leaks, splits and the unique count share.

Prompts of the same words are one node. MinHash with banding (rensa) nominates pairs of nodes; the Jaccard similarity of their
words, computed exactly, decides. So a result never depends on hashing luck, except for a pair that was not nominated at all:
`1 - (1 - J^4)^32`, which is 0.2 % at the lowest similarity that is reported.
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

REPORT_JACCARD = 0.65
"""From this share of common words on, two texts are near-duplicates. Source: measured on three corpora, see
docs/errors/data.duplicate.near.md: edits of 5 to 20 % of the words leave 97 % of pairs above it, and no two of 720
hand-written messages of about 29 words reach it."""

LONG_WORDS = 16
"""From this many words on, `REPORT_JACCARD` makes a copy; below, only `near_duplicate_jaccard` does. Source: measured on
CLINC150 and SNIPS: short questions for different things often share 65 % of their words ("when do i change my oil / my tires")."""

_PERMUTATIONS, _BAND_ROWS, _SEED = 128, 4, 20_241
_BUCKET_NEIGHBOURS = 24
_VERIFY_CHUNK = 1 << 18

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two nodes, their words' Jaccard similarity, and whether one counts as a copy of the other."""

    a: int
    b: int
    jaccard: float
    is_copy: bool


class PromptIndex:
    """Prompts as nodes of equal words, and the verified pairs between them.

    Attributes:
        node_of: the node of each prompt, by position.
        members: the positions of each node's prompts, ascending.
        node_words: each node's words, in order.
        pairs: all nominated pairs at or above the reporting similarity, `a < b`, sorted.
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


def _verified_pairs(node_words: Sequence[list[str]], copy_jaccard: float) -> list[Pair]:
    if len(node_words) < 2:
        return []
    features, wording = without_shared_wording(node_words)
    matrix, hashes = _as_matrix(features)
    lengths = np.diff(matrix.indptr)
    floor = min(REPORT_JACCARD, copy_jaccard)
    a, b = _candidates(hashes)
    shorter, longer = np.minimum(lengths[a], lengths[b]), np.maximum(lengths[a], lengths[b])
    # Shared wording is left out, so two texts are comparable only where the same wording was: "translate X", "summarise X".
    possible = (shorter >= floor * longer) & (wording[a] == wording[b])
    a, b, shorter = a[possible], b[possible], shorter[possible]
    similarity = _jaccards(matrix, a, b)
    needed = np.where(shorter >= LONG_WORDS, floor, copy_jaccard)
    kept = np.flatnonzero(similarity >= floor)
    order = kept[np.lexsort((b[kept], a[kept]))]
    return [Pair(int(a[i]), int(b[i]), float(similarity[i]), bool(similarity[i] >= needed[i])) for i in order]


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
