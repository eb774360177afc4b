"""Equal content has equal digests on every machine, and any change shows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.core.records import Artifact
from truetune.evidence.digests import bytes_digest, canonical_json, file_digest, json_digest, tree_digest, tree_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def test_known_value() -> None:
    """The SHA-256 of the empty text, from FIPS 180-4's examples."""
    assert bytes_digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_file_and_bytes_agree(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "content"
    path.write_bytes(content)
    assert file_digest(path) == bytes_digest(content) == "sha256:" + hashlib.sha256(content).hexdigest()


def test_file_larger_than_a_chunk(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "large").write_bytes(content)
    assert file_digest(tmp_path / "large") == bytes_digest(content)


@settings(deadline=None)
@given(JSON)
def test_canonical_json_says_the_same_and_ignores_key_order(value: object) -> None:
    text = canonical_json(value)
    assert json.loads(text.decode("utf-8", "surrogatepass")) == value
    if isinstance(value, dict):
        assert canonical_json(dict(reversed(value.items()))) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_digest(value)


def artifact(path: str, content: bytes) -> Artifact:
    return Artifact(path=path, digest=bytes_digest(content), size_bytes=len(content))


def test_tree_digest_sees_names_and_content_and_not_order() -> None:
    a, b = artifact("a", b"1"), artifact("b", b"2")
    assert tree_digest([a, b]) == tree_digest([b, a])
    assert tree_digest([a, b]) != tree_digest([a])
    assert tree_digest([a, b]) != tree_digest([artifact("a", b"2"), artifact("b", b"1")])
    assert tree_digest([a]) != tree_digest([artifact("c", b"1")])


def test_tree_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x").write_bytes(b"x")
    (tmp_path / ".hidden").write_bytes(b"h")
    (tmp_path / "empty").mkdir()
    tree = tree_of(tmp_path)
    assert [(f.path, f.size_bytes) for f in tree.files] == [(".hidden", 1), ("sub/x", 1)]
    (tmp_path / "sub" / "x").write_bytes(b"y")
    assert tree_of(tmp_path).digest != tree.digest


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_tree_of_what_is_no_folder(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    if kind == "file":
        target.write_bytes(b"")
    with pytest.raises(FileNotFoundError):
        tree_of(target)
