"""Large arrays of whole numbers in order: by their bytes where the compiled part is there, by comparison where it is not."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from truetune.core.compiled import COMPILED

Number = TypeVar("Number", np.int64, np.uint64)


def sort_in_place(values: npt.NDArray[Number]) -> None:
    """Sort numbers that are not negative, ascending; takes as much memory again."""
    if COMPILED is None:
        values.sort()
    else:
        COMPILED.sort(values, np.empty_like(values))


def distinct(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """The different values, none of them negative, ascending (sorts in place)."""
    sort_in_place(values)
    return values[np.append(True, values[1:] != values[:-1])] if len(values) else values
