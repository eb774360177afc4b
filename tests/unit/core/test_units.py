"""Numbers as people read them."""

from __future__ import annotations

import pytest

from truetune.core.units import plural
from truetune.stages.data.balance.sizing import amount


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (plural(1, "row"), "1 row"),
        (plural(0, "row"), "0 rows"),
        (plural(1200, "entry", "entries"), "1,200 entries"),
        (amount(1, 1, "different examples a class"), "1 different example a class"),
        (amount(0, 1, "different pairs"), "0 to 1 different pair"),
        (amount(8, 1200, "different pairs"), "8 to 1,200 different pairs"),
    ],
)
def test_one_is_singular(written: str, expected: str) -> None:
    assert written == expected
