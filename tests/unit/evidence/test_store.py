"""What is put into the store comes out the same; what is not there says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.core.errors import EvidenceError
from truetune.core.records import Artifact, Tree
from truetune.evidence.digests import bytes_digest, tree_of
from truetune.evidence.store import ObjectStore

NAMES = st.lists(st.from_regex(r"[a-z]{1,4}(/[a-z]{1,4}\.x)?", fullmatch=True), unique=True, max_size=4)


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


def test_bytes_come_back(store: ObjectStore) -> None:
    artifact = store.put_bytes("metrics.jsonl", b"content")
    assert artifact == Artifact(path="metrics.jsonl", digest=bytes_digest(b"content"), size_bytes=7)
    assert store.get_bytes(artifact.digest) == b"content"


def test_equal_content_is_kept_once_whatever_its_name(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"same")
    first, second = store.put_bytes("a", b"same"), store.put_file(tmp_path / "b")
    assert first.digest == second.digest
    assert (second.path, store.put_file(tmp_path / "b", "other").path) == ("b", "other")
    assert sum(p.is_file() for p in store.root.rglob("*")) == 1


def test_source_and_store_do_not_share_a_file(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"old")
    artifact = store.put_file(source)
    source.write_bytes(b"new")
    assert store.get_bytes(artifact.digest) == b"old"


@settings(max_examples=30, deadline=None)
@given(names=NAMES, content=st.binary(max_size=20))
def test_folder_round_trip(tmp_path_factory: pytest.TempPathFactory, names: list[str], content: bytes) -> None:
    tmp_path = tmp_path_factory.mktemp("store", numbered=True)
    store, folder = ObjectStore(tmp_path / "objects"), tmp_path / "folder"
    folder.mkdir()
    for name in names:
        path = folder / name
        if not any((folder / part).is_file() for part in Path(name).parents) and not path.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content + name.encode())
    tree = store.put_tree(folder)
    assert tree == tree_of(folder)
    assert store.holds(tree)
    store.lay_out(tree, tmp_path / "again")
    assert tree_of(tmp_path / "again") == tree


def test_laid_out_copy_may_be_changed(store: ObjectStore, tmp_path: Path) -> None:
    artifact = store.put_bytes("adapter.bin", b"weights")
    store.lay_out(Tree(digest=artifact.digest, files=(artifact,)), tmp_path / "out")
    (tmp_path / "out" / "adapter.bin").write_bytes(b"changed")
    assert store.get_bytes(artifact.digest) == b"weights"


def test_missing_object_is_named_and_leaves_no_half_folder(store: ObjectStore, tmp_path: Path) -> None:
    kept = store.put_bytes("a", b"a")
    gone = store.put_bytes("b", b"b")
    store.path(gone.digest).unlink()
    tree = Tree(digest=kept.digest, files=(kept, gone))
    assert not store.holds(tree)
    for attempt in (lambda: store.get_bytes(gone.digest), lambda: store.lay_out(tree, tmp_path / "out")):
        with pytest.raises(EvidenceError) as caught:
            attempt()
        assert caught.value.code == "evidence.missing"
        assert gone.digest in caught.value.what
        assert caught.value.fix
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", ["../../outside", "/outside", "a/../../outside", "..", ".", "", "a\0b"])
def test_record_cannot_write_outside_the_folder(path: str, store: ObjectStore, tmp_path: Path) -> None:
    good, evil = store.put_bytes("good", b"good"), store.put_bytes(path, b"evil")
    with pytest.raises(EvidenceError) as caught:
        store.lay_out(Tree(digest=evil.digest, files=(good, evil)), tmp_path / "deep" / "out")
    assert caught.value.code == "evidence.path"
    assert repr(path) in caught.value.what
    assert not (tmp_path / "deep").exists()
