"""What prompts are about: words weighted by rarity, projected to a few dimensions, and clustered; and how hard they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from truetune.core.text import words
from truetune.stages.data.balance.difficulty import novelty
from truetune.stages.data.balance.languages import LITTLE_WORDS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PROMPTS_MIN = 40
"""With fewer prompts there are no clusters to speak of, and none are made. Source: ours."""
CLUSTER_COUNTS = (2, 3, 4, 6, 8, 12, 16)
ROWS_PER_CLUSTER = 10
"""A number of clusters is tried where an even share of the prompts is at least so many. Source: ours."""
_PROMPT_CHARACTERS = 1500
_DIMENSIONS = 24
_SPARE_DIMENSIONS, _POWER_ITERATIONS = 8, 2
_NOTHING = 1e-6
_VOCABULARY_MIN = 8
_ROUNDS = 10
_CHOSEN_ON = 600
_COMMON_FRAC = 0.3
"""A word in more of the prompts tells no topic. Source: ours; it is what instructions repeated in each prompt have in common."""
_TOPIC_WORDS = 4
ALIKE_COSINE = 0.27
"""Topics whose words, those of most prompts included, are so much the same are about one thing. Source: measured, docs/log.md
2026-11-29: above, groups within one intent stay apart; below, groups of different intents join."""
_STEM_CHARACTERS = 5
"""Words that begin with the same so many characters are one word where topics are compared: "nutrition" is "nutritional".
Source: McNamee & Mayfield 2004, truncated words; the number is measured, docs/log.md 2026-11-29."""
_SHARED_FRAC = 0.1
"""A word in fewer of a topic's prompts is not what they are about: long prompts share many such. Source: measured, docs/log.md
2026-11-29."""
_WORD_CHARACTERS = 3
_WRITING = "compile compose create describe design explain following generate given identify list produce provide sentence write"
"""What general instructions ask for, whatever they are about: such words join no topics. English only. Source: measured,
docs/log.md 2026-11-29."""


@dataclass(frozen=True)
class Topic:
    """Prompts that share their words.

    Attributes:
        words: those that tell them from the other prompts, the most telling first.
        members: places in the sample, ascending.
        centre: the place of the prompt that is nearest to the middle.
    """

    words: tuple[str, ...]
    members: Ints
    centre: int


@dataclass(frozen=True)
class Theme:
    """Topics that are about one thing: the words that most of their prompts have, and how many prompts these are."""

    words: tuple[str, ...]
    prompts: int


@dataclass(frozen=True)
class Topics:
    """The topics, largest first, and each prompt's difficulty (`novelty`); `reason` says why there are no topics.

    `theme` is the largest group of topics that are about one thing; None where there are no topics.
    """

    topics: tuple[Topic, ...]
    difficulty: Floats
    reason: str = ""
    theme: Theme | None = None


def find_topics(prompts: Sequence[str], seed: int) -> Topics:
    """Cluster prompts; the same prompts and seed give the same topics.

    The number of clusters is the one of `CLUSTER_COUNTS` with the best simplified silhouette. Source: Rousseeuw 1987, with
    distances to cluster centres in place of those to all members.
    """
    tokens = [words(prompt[:_PROMPT_CHARACTERS]) for prompt in prompts]
    difficulty = novelty(tokens)
    if len(prompts) < PROMPTS_MIN:
        return Topics((), difficulty, f"fewer than {PROMPTS_MIN} prompts")
    matrix, vocabulary = _weighted(tokens)
    if min(matrix.shape) < _VOCABULARY_MIN:
        return Topics((), difficulty, "the prompts have too few words in common")
    points = _projected(matrix, seed)
    labels = _clustered(points, seed)
    if labels is None:
        return Topics((), difficulty, "the prompts do not fall into groups")
    topics = _described(matrix, vocabulary, points, labels)
    return Topics(topics, difficulty, theme=_theme(tokens, topics))


def _theme(tokens: Sequence[Sequence[str]], topics: Sequence[Topic]) -> Theme:
    """The largest group of topics that share their words.

    A word that most prompts have tells no topic from another, and so a topic that has most of the prompts falls into parts;
    here such words count. Words are compared by their stems, and shown as they are written most often.
    """
    untelling = LITTLE_WORDS.union(_WRITING.split())
    used = [{word for word in text if len(word) >= _WORD_CHARACTERS and word not in untelling} for text in tokens]
    stems = [{word[:_STEM_CHARACTERS] for word in text} for text in used]
    counts = [Counter(stem for place in topic.members.tolist() for stem in stems[place]) for topic in topics]
    total = sum(counts, Counter[str]())
    column = {stem: place for place, stem in enumerate(stem for stem, n in total.items() if n > 1)}
    shares = np.zeros((len(topics), len(column)))
    for place, counted in enumerate(counts):
        for stem in counted.keys() & column.keys():
            shares[place, column[stem]] = counted[stem] / len(topics[place].members)
    shares[shares < _SHARED_FRAC] = 0.0
    shares /= np.maximum(np.linalg.norm(shares, axis=1, keepdims=True), _NOTHING)
    _, groups = connected_components(sparse.csr_matrix(shares @ shares.T >= ALIKE_COSINE), directed=False)
    sizes = np.bincount(groups, weights=[len(topic.members) for topic in topics])
    largest = np.flatnonzero(groups == np.argmax(sizes))
    common = sum((counts[place] for place in largest), Counter[str]()).most_common(_TOPIC_WORDS)
    written: dict[str, str] = {}
    for word, _ in Counter(word for text in used for word in sorted(text)).most_common():
        written.setdefault(word[:_STEM_CHARACTERS], word)
    return Theme(tuple(written[stem] for stem, _ in common), int(sizes.max()))


def _weighted(tokens: Sequence[Sequence[str]]) -> tuple[sparse.csr_matrix, list[str]]:
    """Prompts by words, weighted by rarity, each prompt of length one. Words of one prompt only, and of most, are left out."""
    used = [set(text) for text in tokens]
    frequency = Counter(word for text in used for word in text)
    most = max(2, int(_COMMON_FRAC * len(tokens)))
    vocabulary = sorted(
        word for word, n in frequency.items() if 2 <= n <= most and len(word) >= _WORD_CHARACTERS and word not in LITTLE_WORDS
    )
    column = {word: place for place, word in enumerate(vocabulary)}
    rows = [[column[word] for word in sorted(text) if word in column] for text in used]
    rarity = np.array([np.log(len(tokens) / frequency[word]) for word in vocabulary])
    flat = np.array([place for row in rows for place in row], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    matrix = sparse.csr_matrix((rarity[flat], flat, starts), shape=(len(tokens), len(vocabulary)))
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(1 / np.where(lengths > 0, lengths, 1.0)) @ matrix, vocabulary


def _projected(matrix: sparse.csr_matrix, seed: int) -> Floats:
    """The prompts in the directions in which they differ most (latent semantic analysis), each of length one.

    Source: Halko et al. 2011 (0909.4061), randomised range finder with two power iterations. An iterative solver (ARPACK)
    gave other directions at each call where some were equally important.
    """
    dimensions = min(_DIMENSIONS, min(matrix.shape) - 1)
    found = matrix @ np.random.default_rng(seed).standard_normal((matrix.shape[1], dimensions + _SPARE_DIMENSIONS))
    for _ in range(_POWER_ITERATIONS):
        found = matrix @ (matrix.T @ _orthonormal(found))
    basis = _orthonormal(found)
    image = matrix.T @ basis
    _, directions = np.linalg.eigh(image.T @ image)
    # With the directions of the largest weight first, each point's coordinates are its words' weights along them.
    points: Floats = matrix @ (image @ directions[:, ::-1][:, :dimensions])
    points /= np.maximum(np.linalg.norm(image @ directions[:, ::-1][:, :dimensions], axis=0), _NOTHING)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return points / np.where(lengths > _NOTHING, lengths, np.inf)


def _orthonormal(columns: Floats) -> Floats:
    """Columns that span the same space; by a small eigenproblem, because QR of a tall matrix keeps all cores busy for nothing."""
    weights, directions = np.linalg.eigh(columns.T @ columns)
    kept = weights > _NOTHING * weights[-1]
    found: Floats = columns @ (directions[:, kept] / np.sqrt(weights[kept]))
    return found


def _clustered(points: Floats, seed: int) -> npt.NDArray[np.int32] | None:
    """The cluster of each point; the number of clusters is chosen on some of the points. None where they are all one."""
    some = points[:: max(1, len(points) // _CHOSEN_ON)]
    different = len(np.unique(some.round(6), axis=0))
    fits = {}
    for count in CLUSTER_COUNTS:
        if count <= different and count * ROWS_PER_CLUSTER <= len(points):
            found = _kmeans(some, count, seed)
            if found:
                fits[count] = _silhouette(some, *found)
    if not fits:
        return None
    found = _kmeans(points, max(fits, key=lambda count: fits[count]), seed)
    return found[1] if found else None


def _kmeans(points: Floats, count: int, seed: int) -> tuple[Floats, npt.NDArray[np.int32]] | None:
    from scipy.cluster.vq import ClusterError, kmeans2  # noqa: PLC0415 - it brings half of scipy; small sets need none of it

    try:
        centres, labels = kmeans2(points, count, iter=_ROUNDS, minit="++", missing="raise", rng=np.random.default_rng(seed))
    except ClusterError:
        return None
    return centres, labels


def _silhouette(points: Floats, centres: Floats, labels: npt.NDArray[np.int32]) -> float:
    distances = np.linalg.norm(points[:, None, :] - centres[None, :, :], axis=2)
    own = distances[np.arange(len(points)), labels]
    distances[np.arange(len(points)), labels] = np.inf
    other = distances.min(axis=1)
    return float(np.mean((other - own) / np.maximum(np.maximum(other, own), 1e-12)))


def _described(
    matrix: sparse.csr_matrix, vocabulary: Sequence[str], points: Floats, labels: npt.NDArray[np.int32]
) -> tuple[Topic, ...]:
    everywhere = np.asarray(matrix.mean(axis=0)).ravel()
    found = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        telling = np.asarray(matrix[members].mean(axis=0)).ravel() - everywhere
        best = [place for place in np.argsort(-telling, kind="stable")[:_TOPIC_WORDS] if telling[place] > 0]
        middle = points[members].mean(axis=0)
        centre = int(members[np.argmax(points[members] @ middle)])
        found.append(Topic(tuple(vocabulary[place] for place in best), members, centre))
    return tuple(sorted(found, key=lambda topic: (-len(topic.members), int(topic.members[0]))))
