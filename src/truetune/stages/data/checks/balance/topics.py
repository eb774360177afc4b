"""One topic that is nearly all, or nothing but different topics."""

from __future__ import annotations

from collections.abc import Iterable

from truetune.core.records import Finding
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.balance.topics import ALIKE_COSINE
from truetune.stages.data.checks.base import NO_ROWS, Check, Threshold
from truetune.stages.data.corpus import Corpus

CODE = "data.balance.topics"
_FIX = "compare the shares with what the model will be asked, and collect rows of the topics that are missing"

DOMINANT_FRAC = 0.75
"""A topic with so many of the prompts outweighs all others together three times. Source: ours."""


def _find(corpus: Corpus) -> Iterable[Finding]:
    topics, theme = corpus.balance.topics.topics, corpus.balance.topics.theme
    sample = corpus.balance.sample
    if theme is None or len(topics) < 2 or theme.prompts < DOMINANT_FRAC * len(sample):
        return
    named = ", ".join(excerpt(word) for word in theme.words)
    yield Finding(
        code=CODE,
        severity="note",
        message=f"{theme.prompts / len(sample):.0%} of the prompts are about one topic ({named})",
        rows=corpus.refs([int(sample[topic.centre]) for topic in topics]),
        evidence={
            "shares": {" ".join(excerpt(word) for word in t.words): round(len(t.members) / len(sample), 3) for t in topics},
            "sampled_rows": len(sample),
        },
        fix=_FIX,
    )


CHECK = Check(
    code=CODE,
    severity="note",
    claim="The prompts are spread over their topics.",
    fix=_FIX,
    find=_find,
    ways=NO_ROWS,
    thresholds=(
        Threshold("share of the largest topic", DOMINANT_FRAC, "ours"),
        Threshold("cosine from which groups of prompts are one topic", ALIKE_COSINE, "measured: docs/log.md"),
    ),
)
