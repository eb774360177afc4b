"""The header of a safetensors file, read without any library and with every bound checked.

Source: the safetensors format description (github.com/huggingface/safetensors): 8 bytes little-endian header length, a JSON
object of that length, then the data, which the tensors cover without gap or overlap.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from truetune.core.errors import EvidenceError

_LENGTH_BYTES = 8
_HEADER_BYTES_MAX = 100_000_000
"""Source: safetensors' own limit, MAX_HEADER_SIZE."""
_LFS_POINTER = b"version https://git-lfs"

BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


@dataclass(frozen=True)
class Tensor:
    """A tensor's type and shape, as the header says."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def is_float(self) -> bool:
        """Integers are buffers or packed weights, not parameters as they stand."""
        return self.dtype.startswith(("F", "BF"))


def read_header(path: Path) -> dict[str, Tensor]:
    """The tensors of the file, by name.

    Raises:
        EvidenceError: `base.weights.damaged`, with what is wrong.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(_LENGTH_BYTES)
        if _LFS_POINTER.startswith(start) and len(start) == _LENGTH_BYTES:
            raise damaged(path, "it is a Git LFS pointer, not the weights", fix="git lfs pull")
        if len(start) < _LENGTH_BYTES:
            raise damaged(path, f"it has {size_bytes} bytes; a header alone has more")
        (length,) = struct.unpack("<Q", start)
        if length > min(_HEADER_BYTES_MAX, size_bytes - _LENGTH_BYTES):
            raise damaged(path, f"its header claims {length} bytes, the file has {size_bytes}")
        text = stream.read(length)
    return _tensors(path, _object(path, text), size_bytes - _LENGTH_BYTES - length)


def damaged(path: Path, why: str, *, fix: str = "") -> EvidenceError:
    """A weights file that is not what it should be."""
    return EvidenceError(
        "base.weights.damaged",
        f"{path.name} is not a whole safetensors file",
        why=why,
        fix=fix or f"delete {path.name} and fetch the model again; a download may have been cut short",
        where=str(path),
    )


def _object(path: Path, text: bytes) -> dict[str, object]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"its header is not JSON: {str(error).splitlines()[0]}") from error
    if not isinstance(header, dict):
        raise damaged(path, "its header is not a JSON object")
    return header


def _tensors(path: Path, header: Mapping[str, object], data_bytes: int) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    ranges = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        tensor, start, end = _entry(path, name, entry)
        if name in found or not _fits(tensor, end - start):
            raise damaged(path, f"tensor {name} has {end - start} bytes, which is not {tensor.dtype} {list(tensor.shape)}")
        found[name] = tensor
        ranges.append((start, end, name))
    position = 0
    for start, end, name in sorted(ranges):
        if start != position:
            raise damaged(path, f"the data of tensor {name} begins at byte {start}, not at {position}")
        position = end
    if position != data_bytes:
        raise damaged(path, f"the tensors take {position} bytes, the file has {data_bytes} bytes of data")
    return found


def _entry(path: Path, name: str, entry: object) -> tuple[Tensor, int, int]:
    if isinstance(entry, dict):
        dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
        if isinstance(dtype, str) and _sizes(shape) and _sizes(offsets) and len(offsets) == 2 and offsets[0] <= offsets[1]:  # type: ignore[arg-type,index]
            return Tensor(dtype, tuple(shape)), offsets[0], offsets[1]  # type: ignore[arg-type,index]
    raise damaged(path, f"the entry of tensor {name} has no proper dtype, shape and data_offsets")


def _sizes(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in value)


def _fits(tensor: Tensor, size_bytes: int) -> bool:
    """A type that is newer than this table cannot be checked; its bytes still have to lie in the file."""
    bits = BITS.get(tensor.dtype)
    return bits is None or tensor.elements * bits == size_bytes * 8
