"""Whatever is wrong with a weights file is said, whatever bytes it has."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.stages.base.model_folder import TENSORS, packed, safetensors

from truetune.core.errors import EvidenceError
from truetune.stages.base.safetensors_header import Tensor, read_header

GOOD = safetensors(TENSORS)


def read(tmp_path: Path, content: bytes) -> dict[str, Tensor]:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    return read_header(path)


def entry(shape: object, offsets: object, dtype: object = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_reads_types_and_shapes(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    assert {name: (t.dtype, list(t.shape)) for name, t in found.items()} == TENSORS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 bytes"),
        (b"\x01\x02", "2 bytes"),
        (struct.pack("<Q", 1 << 60), "claims"),
        (struct.pack("<Q", 10) + b"{}", "claims"),
        (struct.pack("<Q", 2) + b"[]", "not a JSON object"),
        (struct.pack("<Q", 3) + b"abc", "not JSON"),
        (struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc", "not JSON"),
        (GOOD[:-1], "bytes of data"),
        (GOOD + b"\x00", "bytes of data"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "Git LFS pointer"),
        (packed({"a": entry([2], [0, 4])}, 4), "is not F32 [2]"),
        (packed({"a": entry([1], [4, 8])}, 8), "begins at byte 4"),
        (packed({"a": entry([1], [0, 4]), "b": entry([1], [0, 4])}, 4), "begins at byte 0"),
        (packed({"a": entry([1], [4, 0])}, 4), "no proper"),
        (packed({"a": entry([-1], [0, 4])}, 4), "no proper"),
        (packed({"a": entry([True], [0, 4])}, 4), "no proper"),
        (packed({"a": entry("x", [0, 4])}, 4), "no proper"),
        (packed({"a": entry([1], [0])}, 4), "no proper"),
        (packed({"a": entry([1], [0, 4], 7)}, 4), "no proper"),
        (packed({"a": 5}, 0), "no proper"),
        (struct.pack("<Q", 60_000) + b"[" * 60_000, "not JSON"),
    ],
)
def test_damage_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        read(tmp_path, content)
    assert caught.value.code == "base.weights.damaged"
    assert said in caught.value.why
    assert caught.value.fix


def test_type_from_the_future_is_not_damage(tmp_path: Path) -> None:
    assert read(tmp_path, packed({"a": entry([3], [0, 5], "F99")}, 5))["a"].elements == 3


def test_scalar_and_empty_tensors(tmp_path: Path) -> None:
    found = read(tmp_path, packed({"a": entry([], [0, 4]), "b": entry([0, 7], [4, 4])}, 4))
    assert (found["a"].elements, found["b"].elements) == (1, 0)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=3))
def test_any_damage_is_read_or_named_never_a_crash(tmp_path_factory: pytest.TempPathFactory, at: int, what: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    path.write_bytes(GOOD[:at] + what + GOOD[at + len(what) :])
    try:
        read_header(path)
    except EvidenceError as error:
        assert error.why


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(content)
    try:
        assert read_header(path) == {}
    except EvidenceError as error:
        assert error.why
