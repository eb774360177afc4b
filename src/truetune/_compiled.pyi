"""What the compiled part offers; see `truetune.core.compiled`."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64] | npt.NDArray[np.uint64]

def cut(
    texts: list[str | bytes],
    tables: bytes,
    hashes: npt.NDArray[np.uint32],
    opens: npt.NDArray[np.bool_],
    starts: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint64],
    /,
) -> None: ...
def rewritten(text: bytes, rewrite: Callable[[bytes], bytes], /) -> bytes: ...
def sort(values: Whole, spare: Whole, /) -> None: ...
