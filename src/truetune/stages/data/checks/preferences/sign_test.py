"""Whether one of two sides is ahead by more than chance."""

from __future__ import annotations


def sign_test_p(one: int, other: int) -> float:
    """The two-sided p of so many signs of one kind and so many of the other, if both were equally likely."""
    from scipy.stats import binomtest  # noqa: PLC0415 - half a second to import, that few data sets have to pay

    return float(binomtest(one, one + other).pvalue)
