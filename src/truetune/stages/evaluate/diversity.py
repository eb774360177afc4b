"""Has the model lost its variety? Counted on off-task outputs, where a narrow task gives no reason to be uniform.

Source: the metric set of Shaib et al. 2024, arXiv:2403.00553. No paper gives universal thresholds, so only the change from the
base model on the same prompts is judged.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence

from truetune.core.records import DiversityResult, Interval
from truetune.stages.evaluate.metrics import words
from truetune.stages.evaluate.outputs import Output
from truetune.stages.evaluate.statistics import jackknife, tango

BEGIN, END = "<begin>", "<end>"
OPENING_WORDS = 4

Text = tuple[str, ...]


def cut_to_equal_length(candidate: Sequence[Output], reference: Sequence[Output]) -> tuple[list[Text], list[Text]]:
    """Both sides' outputs as words with marks at begin and end, each pair cut to the shorter of the two.

    Longer texts repeat themselves more, so lengths must not differ. The marks are words, so that even an empty output has one
    pair of words: a model that always says nothing must not look unmeasurable.
    """
    pairs = [(_marked(a.output), _marked(b.output)) for a, b in zip(candidate, reference, strict=True)]
    lengths = [min(len(a), len(b)) for a, b in pairs]
    return (
        [a[:length] for (a, _), length in zip(pairs, lengths, strict=True)],
        [b[:length] for (_, b), length in zip(pairs, lengths, strict=True)],
    )


def describe(candidate: str, outputs: Sequence[Output], cut: Sequence[Text]) -> DiversityResult:
    """All measures of one candidate; `cut` are its outputs cut to equal length.

    Raises:
        ValueError: no outputs.
    """
    return DiversityResult(
        candidate=candidate,
        outputs=len(outputs),
        compression_ratio=round(compression_ratio(cut), 6),
        distinct_2=round(distinct_n(cut, 2), 6),
        self_repetition_4=round(self_repetition(cut, 4), 6),
        commonest_opening_frac=round(commonest_opening_frac(cut), 6),
        duplicate_outputs=duplicates(outputs),
        never_ended=sum(not output.finished for output in outputs),
    )


def distinct_loss(candidate: Sequence[Text], reference: Sequence[Text], level: float) -> tuple[float, Interval]:
    """Relative drop of distinct-2 from reference to candidate, 0.2 meaning a fifth less varied, with its interval.

    The interval is at least as wide as the share of prompts that could collapse without one being among these: prompts that are
    all alike tell nothing about the next one.

    Source: jackknife; the least width is that of Tango's interval where no pair differs.

    Raises:
        ValueError: fewer than two outputs.
    """

    def loss(kept: Sequence[int]) -> float:
        before = distinct_n([reference[i] for i in kept], 2)
        return (before - distinct_n([candidate[i] for i in kept], 2)) / before

    n = len(reference)
    value, interval, unseen = loss(range(n)), jackknife(loss, n, level), tango(0, 0, n, level).high
    low, high = min(interval.low, round(value - unseen, 6)), max(interval.high, round(value + unseen, 6))
    return value, interval.model_copy(update={"low": low, "high": high})


def distinct_n(texts: Sequence[Text], n: int) -> float:
    """Different n-grams as a share of all n-grams, over all texts.

    Source: Li et al. 2016, arXiv:1510.03055.

    Raises:
        ValueError: no n-grams.
    """
    grams = [gram for text in texts for gram in _grams(text, n)]
    if not grams:
        raise ValueError("no n-grams: diversity is not measured")
    return len(set(grams)) / len(grams)


def self_repetition(texts: Sequence[Text], n: int) -> float:
    """Share of a text's n-grams that another text has too, over all texts; 0 where no text is that long.

    Source: after Salkar et al. 2022, as a share instead of a logarithm of counts.
    """
    per_text = [_grams(text, n) for text in texts]
    holders = Counter(gram for grams in per_text for gram in set(grams))
    total = sum(len(grams) for grams in per_text)
    return sum(holders[gram] > 1 for grams in per_text for gram in grams) / total if total else 0.0


def compression_ratio(texts: Sequence[Text]) -> float:
    """Bytes before by bytes after compression of all texts together; higher means more repetitive.

    Raises:
        ValueError: no texts.
    """
    if not texts:
        raise ValueError("no texts: the compression ratio is not measured")
    joined = "\n".join(" ".join(text[1:]) for text in texts).encode("utf-8", "surrogatepass")
    return len(joined) / len(zlib.compress(joined, 9))


def commonest_opening_frac(texts: Sequence[Text]) -> float:
    """Share of texts that begin with the commonest four words."""
    openings = Counter(text[: OPENING_WORDS + 1] for text in texts)
    return openings.most_common(1)[0][1] / len(texts)


def duplicates(outputs: Sequence[Output]) -> int:
    """Outputs that another prompt had received already, word for word."""
    return len(outputs) - len({tuple(words(output.output)) or output.output.strip() for output in outputs})


def _marked(text: str) -> Text:
    return (BEGIN, *words(text), END)


def _grams(text: Text, n: int) -> list[Text]:
    return [text[i : i + n] for i in range(len(text) - n + 1)]
