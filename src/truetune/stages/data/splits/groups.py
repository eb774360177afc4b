"""Which columns say that rows belong together, so that they may not stand on two sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set

from truetune.core.config import KeptTogether, SplitConfig
from truetune.core.records import MetaField

LEAST_GROUPS = 5
LARGEST_GROUP_FRAC = 0.2
"""A column that nobody named and that has few values, or one in more than a fifth of the rows, sorts rows into categories
(a plan, a region) and does not say whose they are. Source: stated; a test of the usual fifth cannot hold a larger group whole."""


def keeps_together(field: KeptTogether, values: Iterable[str], splits: SplitConfig, declared: Set[MetaField]) -> bool:
    """Does this column keep rows on one side? It must be among `data.splits.keep_together`, and be named or look like groups.

    Args:
        field: what the column says.
        values: of all rows that have one.
        splits: of the config.
        declared: the fields that somebody named on purpose.
    """
    if field not in splits.keep_together:
        return False
    return field in declared or _look_like_groups(values)


def _look_like_groups(values: Iterable[str]) -> bool:
    counts = Counter(values)
    return len(counts) >= LEAST_GROUPS and max(counts.values()) <= LARGEST_GROUP_FRAC * counts.total()
