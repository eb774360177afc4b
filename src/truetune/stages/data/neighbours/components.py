"""Connected components: things that are linked, directly or through others, have one number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from truetune.stages.data.neighbours.words import Ints


def connected(size: int, a: Ints, b: Ints) -> Ints:
    """For each of `size` things the number of its component, where `a[i]` and `b[i]` are linked, (size,)."""
    if not size:
        return np.empty(0, dtype=np.int64)
    graph = sparse.coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(size, size))
    labels: Ints = csgraph.connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def components(size: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The same of pairs: for each of `size` things the number of its component."""
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    labels: list[int] = connected(size, ends[:, 0], ends[:, 1]).tolist()
    return labels
