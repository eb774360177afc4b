"""The compiled part, where it is installed: a few loops that NumPy takes many passes for.

The NumPy code says what each of them does and stands in where there is none (an installation without a C compiler, or with
`TRUETUNE_COMPILED=0` in the environment); the answers are the same number for number.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Whole = npt.NDArray[np.int64] | npt.NDArray[np.uint64]

SWITCH = "TRUETUNE_COMPILED"


class CompiledPart(Protocol):
    """What is compiled."""

    def cut(
        self,
        texts: list[str | bytes],
        tables: bytes,
        hashes: npt.NDArray[np.uint32],
        opens: npt.NDArray[np.bool_],
        starts: npt.NDArray[np.int64],
        keys: npt.NDArray[np.uint64],
        /,
    ) -> None:
        """Cut texts into words, and write what is known of them into the arrays; see `stages/data/neighbours/words.py`."""

    def rewritten(self, text: bytes, rewrite: Callable[[bytes], bytes], /) -> bytes:
        """UTF-8 with each run of bytes outside ASCII replaced by what `rewrite` makes of it."""

    def sort(self, values: Whole, spare: Whole, /) -> None:
        """Sort numbers that are not negative in place, by their bytes; `spare` has room for as many."""


def _load() -> CompiledPart | None:
    if os.environ.get(SWITCH) == "0":
        return None
    try:
        from truetune import _compiled  # noqa: PLC0415  (absent where there was no compiler)
    except ImportError:
        return None
    return _compiled


COMPILED = _load()
"""The compiled part, or None where NumPy does its work."""
