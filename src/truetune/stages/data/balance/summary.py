"""The balance of the rows as the data record keeps it."""

from __future__ import annotations

import numpy as np

from truetune.core.records import DataBalance, LabelBalance, Quantiles, Share, Topic
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.balance.measure import SEED, Balance, Ints, Opening, Values
from truetune.stages.data.balance.topics import Floats, Topics

_VALUES_KEPT = 24
_OPENINGS_KEPT = 5


def summary(balance: Balance) -> DataBalance | None:
    """What the record says of the balance; None where there are no rows."""
    rows = len(balance.rows)
    if not rows:
        return None
    topics, languages = balance.topics, balance.languages
    reasons = {"topics": topics.reason, "languages": languages.reason}
    is_text = balance.profile.shape == "text"
    return DataBalance(
        rows=rows,
        sampled_rows=len(balance.sample),
        seed=SEED,
        prompt_chars=quantiles(balance.prompt_chars),
        answer_chars=quantiles(balance.answer_chars),
        commonest_answer_frac=round(len(balance.commonest_answer) / rows, 4),
        labels=tuple(_labels(values) for values in balance.values if len(values.names)),
        openings=tuple(_opening(one, balance.different_answers) for one in balance.openings[:_OPENINGS_KEPT]),
        distinct_openings=balance.different_openings if is_text else None,
        languages=tuple(_share(code, n, languages.sampled) for code, n in languages.counts),
        topics=tuple(_topics(balance, topics)),
        difficulty=quantiles(topics.difficulty, _FRAC_DIGITS),
        off_task_rows=None if is_text else int(np.count_nonzero(~balance.has_shape)),
        not_measured={name: reason for name, reason in reasons.items() if reason},
    )


_FRAC_DIGITS = 2


def quantiles(values: Ints | Floats, digits: int = 1) -> Quantiles:
    """How values are spread; whole ranks, so that the numbers are some row's own."""
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), method="lower")
    return Quantiles(
        p05=round(float(low), digits),
        median=round(float(middle), digits),
        p95=round(float(high), digits),
        max=round(float(values.max()), digits),
    )


def entropy_bits(counts: Ints) -> float:
    """Shannon entropy of a histogram, in bits."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def _labels(values: Values) -> LabelBalance:
    counts = values.counts
    total = int(counts.sum())
    order = np.lexsort((np.arange(len(counts)), -counts))
    shares = [_share(excerpt(values.names[i]), int(counts[i]), total) for i in order]
    bits = entropy_bits(counts)
    return LabelBalance(
        field=values.field,
        classes=len(counts),
        values=tuple(shares[:_VALUES_KEPT]),
        rarest=shares[-1],
        entropy_bits=round(bits, 3),
        effective_classes=round(2**bits, 2),
    )


def _opening(opening: Opening, answers: int) -> Share:
    return _share(excerpt(opening.words), opening.answers, answers)


def _topics(balance: Balance, topics: Topics) -> list[Topic]:
    return [
        Topic(
            words=tuple(excerpt(word) for word in topic.words),
            rows=len(topic.members),
            frac=round(len(topic.members) / len(balance.sample), 4),
            difficulty=round(float(np.median(topics.difficulty[topic.members])), _FRAC_DIGITS),
            example=balance.rows[int(balance.sample[topic.centre])].ref,
        )
        for topic in topics.topics
    ]


def _share(name: str, rows: int, total: int) -> Share:
    return Share(name=name, rows=rows, frac=round(rows / max(1, total), 4))
