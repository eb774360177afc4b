"""Every label of a task judged by a model that has not seen it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from truetune.stages.data.noise.doubt import learn_doubt
from truetune.stages.data.noise.features import Ints
from truetune.stages.data.noise.nearest import Nearest
from truetune.stages.data.noise.posterior import Chance, ConfidentJoint, Labels, chance_wrong, fit_chance, probabilities
from truetune.stages.data.noise.ridge import BLOCK_ROWS, Described, Floats, Space, fit, sample_rows, scores_without_itself

SURE = 0.5
"""From this chance on a label counts as wrong in the second fit, which leaves it out. Source: stated."""

NOISE_FRAC_MOST = 0.3
"""Where more labels than this seem to follow nothing but chance, the model does not understand the task and judges nothing.
Source: stated; confident learning too assumes that most labels are right."""

GAIN_LEAST = 0.4
"""The model must get this share right of what naming the commonest label gets wrong. Source: stated."""

LISTED_TIMES = 3
"""No more rows are listed than so many times the wrong labels that there may be, by the upper end of the interval. Source:
measured: of labels that were changed to the most similar one 0.93 to 1.0 are listed with twice as many, 0.95 to 1.0 with three
times (docs/log.md)."""

NAMED = 0.3
"""A label that is named is wrong with this chance at least. Source: stated; it is what keeps sound sets free of names."""

SCANT_ROWS = 40
"""With fewer rows a label a second fit mostly confirms the first, so a row is named by how sure both are of it. Source: measured:
with 16 rows a label (CLINC150) the second fit alone names up to 1.4 % of the clean rows (docs/log.md)."""


@dataclass(frozen=True)
class Task:
    """A label of every row: the answer itself, or one field of it.

    Attributes:
        field: of a JSON answer; empty where the answer is the label.
        values: the labels.
        given: the place in `values` of each row's label, -1 for none, (rows,).
    """

    field: str
    values: tuple[str, ...]
    given: Labels


@dataclass(frozen=True)
class Judgement:
    """What was found about one task.

    Attributes:
        task: which.
        wrong: the chance that a row's label is wrong, NaN where it was not judged, (rows,).
        sure: the same, lower where the labels have few rows: both fits must be sure, (rows,).
        doubt: how strongly the row speaks against its label, which is what rows are ranked by; -inf where not judged, (rows,).
        lowest: the doubt above which nearly all wrong labels lie.
        suggested: the label that the other rows speak for, (rows,).
        margin: how much likelier that is than the given label, (rows,).
        accuracy: the share of the fitted rows whose label the model names without having seen it.
        judged: rows.
        confident: how many labels confident learning counts as wrong.
    """

    task: Task
    wrong: Floats
    sure: Floats
    doubt: Floats
    lowest: float
    suggested: Labels
    margin: Floats
    accuracy: float
    judged: int
    confident: float

    @property
    def expected(self) -> float:
        """How many labels are wrong, by the chances."""
        return float(np.nansum(self.wrong))

    def interval(self) -> tuple[float, float]:
        """Where the number of wrong labels lies, with 95 % confidence in the model.

        Below, what the chances and the sample leave; above, the larger of that and confident learning's count, because labels
        that are mistaken for the most similar one look right to the chances and wrong to the joint.

        Source: the variance of a sum over rows drawn with replacement; a Poisson count's standard deviation.
        """
        confident = self.confident + 1.96 * float(np.sqrt(self.confident))
        return max(0.0, self.expected - self._spread), max(self.expected + self._spread, confident)

    @property
    def _spread(self) -> float:
        return 1.96 * float(np.sqrt(np.nansum(self.wrong**2)))

    def named(self, most_false_frac: float) -> Ints:
        """The rows to name, the surest first: as many as keep the expected right labels among them below a share of all.

        Args:
            most_false_frac: of the judged rows.
        """
        order = self._ranked()
        right = np.cumsum(1 - self.sure[order])
        found: Ints = order[(right <= most_false_frac * self.judged) & (self.sure[order] >= NAMED)]
        return found

    def listed(self) -> Ints:
        """The rows worth a look, the surest first: down to where hardly a wrong label is left, but no endless list."""
        order = self._ranked()
        nearly_all = int(np.count_nonzero(self.doubt >= self.lowest))
        enough = max(nearly_all, int(np.ceil(self.expected + self._spread)))
        return order[: min(enough, int(LISTED_TIMES * self.interval()[1]))]

    def _ranked(self) -> Ints:
        order: Ints = np.argsort(-self.doubt, kind="stable")[: self.judged]
        return order


class Judge:
    """Judges the labels of rows; all tasks share the texts' points."""

    def __init__(self, rows: int, described: Described, seed: int) -> None:
        """Prepare the space.

        Args:
            rows: how many there are.
            described: what is known of them.
            seed: of the sample, and of the labels that are made wrong to learn from.
        """
        self._seed = seed
        self._sample = sample_rows(rows, seed)
        self._space = Space(self._sample.landmarks, described)
        self._likeness = np.concatenate([self._space.likeness(block) for block in _blocks(self._sample.fitted)])
        self._points = self._space.points(self._likeness)
        itself = np.searchsorted(self._sample.fitted, self._sample.landmarks)
        self._likeness[itself, np.arange(len(itself))] = 0

    def judge(self, task: Task) -> Judgement | None:
        """The judgement of one task; None where the labels do not follow from the texts well enough to judge any."""
        given = task.given[self._sample.fitted]
        with_label = np.flatnonzero(given >= 0)
        points, given = self._points[with_label], given[with_label]
        classes = len(task.values)
        labels = _one_hot(given, classes)
        first = fit(points, labels)
        scores = scores_without_itself(first, points, labels)
        chance = fit_chance(scores, given)
        accuracy = float((scores.argmax(axis=1) == given).mean())
        if chance.noise_frac > NOISE_FRAC_MOST or accuracy < _least_accuracy(given, classes):
            return None
        is_scant = len(given) < SCANT_ROWS * classes
        # Wrong labels pull the model their way: a second fit leaves out what the first is sure of.
        doubted = _chances(scores, given, chance)
        kept = np.flatnonzero(doubted < SURE)
        second = fit(points[kept], labels[kept])
        again = points @ second.weights
        again[kept] = scores_without_itself(second, points[kept], labels[kept])
        nearest = Nearest(task.given[self._sample.landmarks], classes)
        fitted = _Scores(scores, again, nearest.of(self._likeness[with_label]))
        found = _Findings(task, fitted, given, chance if is_scant else None, self._seed)
        found.add(self._sample.fitted[with_label], fitted)
        weights = [self._space.weights_of_likeness(found_by) for found_by in (first.weights, second.weights)]
        others = np.setdiff1d(np.flatnonzero(task.given >= 0), self._sample.fitted, assume_unique=True)
        for block in _blocks(others):
            likeness = self._space.likeness(block)
            found.add(np.array(block), _Scores(likeness @ weights[0], likeness @ weights[1], nearest.of(likeness)))
        return found.judgement(accuracy)

    def alike(self, task: Task, row: int, label: int) -> int | None:
        """The most similar of the sampled rows that have a label; None where none of them has it."""
        having = np.flatnonzero(task.given[self._sample.landmarks] == label)
        having = having[self._sample.landmarks[having] != row]
        if not len(having):
            return None
        likeness = self._space.likeness([row])[0]
        return int(self._sample.landmarks[having[likeness[having].argmax()]])


@dataclass(frozen=True)
class _Scores:
    """Of each label, by a model that has not seen the row, (rows, classes).

    Attributes:
        first: by the first fit.
        second: by the one that leaves out what the first is sure of; it tells chances better.
        nearest: how similar the most similar rows of the label are.
    """

    first: Floats
    second: Floats
    nearest: Floats

    @property
    def of_all(self) -> Floats:
        """For ranking rows the mean of both fits is steadier, and finds more together with the neighbours."""
        return ((self.first + self.second) / 2 + self.nearest).astype(np.float32, copy=False)


class _Findings:
    """Chances, doubts, suggestions and margins, filled block by block."""

    def __init__(self, task: Task, scores: _Scores, given: Labels, first: Chance | None, seed: int) -> None:
        """Learn from some rows how sharp scores are, how sure the model usually is, and what a wrong label looks like.

        `first` is given where the first fit must be sure too before a row is named.
        """
        self._task, self._first = task, first
        self._chance = fit_chance(scores.second, given)
        predicted = probabilities(scores.second, self._chance.sharpness)
        self._joint = ConfidentJoint(predicted, given)
        trusted = self._wrong_of(predicted, given) < SURE
        self._doubt = learn_doubt(scores.of_all, given, trusted, self._chance.sharpness, seed)
        rows = len(task.given)
        self._wrong: Floats = np.full(rows, np.nan, dtype=np.float32)
        self._sure: Floats = np.full(rows, np.nan, dtype=np.float32)
        self._doubts: Floats = np.full(rows, -np.inf, dtype=np.float32)
        self._margin: Floats = np.zeros(rows, dtype=np.float32)
        self._suggested: Labels = np.full(rows, -1, dtype=np.int32)
        self._judged = 0

    def _wrong_of(self, predicted: Floats, given: Labels) -> Floats:
        return chance_wrong(_own(predicted, given), predicted.shape[1], self._chance.noise_frac)

    def add(self, rows: Ints, scores: _Scores) -> None:
        given = self._task.given[rows]
        predicted = probabilities(scores.second, self._chance.sharpness)
        self._joint.add(predicted, given)
        self._wrong[rows] = self._sure[rows] = self._wrong_of(predicted, given)
        if self._first is not None:
            self._sure[rows] *= _chances(scores.first, given, self._first)
        self._doubts[rows] = self._doubt.of(scores.of_all, given)
        own = _own(predicted, given)
        predicted[np.arange(len(given)), given] = -1.0
        self._suggested[rows] = predicted.argmax(axis=1)
        self._margin[rows] = predicted.max(axis=1) - own
        self._judged += len(rows)

    def judgement(self, accuracy: float) -> Judgement:
        return Judgement(
            task=self._task,
            wrong=self._wrong,
            sure=self._sure,
            doubt=self._doubts,
            lowest=self._doubt.lowest,
            suggested=self._suggested,
            margin=self._margin,
            accuracy=accuracy,
            judged=self._judged,
            confident=self._joint.wrong(),
        )


def _chances(scores: Floats, given: Labels, chance: Chance) -> Floats:
    return chance_wrong(_own(probabilities(scores, chance.sharpness), given), scores.shape[1], chance.noise_frac)


def _least_accuracy(given: Labels, classes: int) -> float:
    commonest = float(np.bincount(given, minlength=classes).max()) / max(1, len(given))
    return commonest + GAIN_LEAST * (1 - commonest)


def _own(predicted: Floats, given: Labels) -> Floats:
    found: Floats = predicted[np.arange(len(given)), given].copy()
    return found


def _one_hot(given: Labels, classes: int) -> sparse.csr_array:
    ones = np.ones(len(given), dtype=np.float32)
    return sparse.csr_array((ones, (np.arange(len(given)), given)), shape=(len(given), classes))


def _blocks(rows: Ints) -> Iterator[list[int]]:
    for start in range(0, len(rows), BLOCK_ROWS):
        yield rows[start : start + BLOCK_ROWS].tolist()
