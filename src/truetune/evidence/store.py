"""The content-addressed store: `.truetune/objects/ab/cdef…`, shared by a project's runs.

A blob is named by its digest, so equal content is kept once and nothing is ever overwritten with something else.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path, PurePath

from truetune.core.errors import EvidenceError
from truetune.core.records import Artifact, Tree
from truetune.evidence import atomic
from truetune.evidence.digests import bytes_digest, file_digest, tree_of


class ObjectStore:
    """Blobs by digest below one folder."""

    def __init__(self, root: Path) -> None:
        """`root` is made when the first blob is put."""
        self.root = root

    def path(self, digest: str) -> Path:
        """Where the blob of that digest lies, or would lie."""
        name = digest.removeprefix("sha256:")
        return self.root / name[:2] / name[2:]

    def put_bytes(self, name: str, content: bytes) -> Artifact:
        """Keep bytes; `name` is what the record calls them."""
        digest = bytes_digest(content)
        if not self.path(digest).exists():
            atomic.write_bytes(self.path(digest), content)
        return Artifact(path=name, digest=digest, size_bytes=len(content))

    def put_file(self, source: Path, name: str | None = None) -> Artifact:
        """Keep a copy of a file; the source is not touched."""
        digest = file_digest(source)
        target = self.path(digest)
        if not target.exists():
            self._copy_in(source, target)
        return Artifact(path=name or source.name, digest=digest, size_bytes=source.stat().st_size)

    def put_tree(self, folder: Path) -> Tree:
        """Keep every file of a folder."""
        tree = tree_of(folder)
        for artifact in tree.files:
            if not self.path(artifact.digest).exists():
                self._copy_in(folder / artifact.path, self.path(artifact.digest))
        return tree

    def holds(self, tree: Tree) -> bool:
        """Tell whether all blobs of the tree are here, by name; `verify` re-hashes them."""
        return all(self.path(f.digest).exists() for f in tree.files)

    def get_bytes(self, digest: str) -> bytes:
        """The blob's content.

        Raises:
            EvidenceError: it is not in the store.
        """
        path = self.path(digest)
        if not path.exists():
            raise EvidenceError(
                "evidence.missing",
                f"the object {digest} is not in the store",
                why="it was deleted, or the run was copied without .truetune/objects",
                fix="truetune run",
                where=str(path),
            )
        return path.read_bytes()

    def lay_out(self, tree: Tree, folder: Path) -> None:
        """Make `folder` hold the tree's files, as copies: what a user does to them leaves the store as it is.

        Raises:
            EvidenceError: a blob is missing, or a path of the record would lead out of the folder.
        """
        for artifact in tree.files:
            _refuse_way_out(artifact, folder)
        with atomic.new_folder(folder) as temporary:
            for artifact in tree.files:
                target = temporary / artifact.path
                target.parent.mkdir(parents=True, exist_ok=True)
                source = self.path(artifact.digest)
                if not source.exists():
                    self.get_bytes(artifact.digest)
                shutil.copyfile(source, target)

    def _copy_in(self, source: Path, target: Path) -> None:
        with atomic.writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=target.parent, suffix=".tmp")
            os.close(descriptor)
            temporary = Path(name)
            try:
                shutil.copyfile(source, temporary)
                temporary.chmod(0o444)
                temporary.replace(target)
            except BaseException:
                with suppress(OSError):
                    temporary.unlink()
                raise


def _refuse_way_out(artifact: Artifact, folder: Path) -> None:
    """A record is a file that anyone can edit: its paths are not trusted.

    Raises:
        EvidenceError: the path is empty, absolute, or climbs with `..`.
    """
    path = PurePath(artifact.path)
    if path.anchor or ".." in path.parts or not path.parts or "\0" in artifact.path:
        raise EvidenceError(
            "evidence.path",
            f"the record names a file that would lie outside its folder: {artifact.path!r}",
            why="truetune never writes such a record: it was changed, or made by something else",
            fix="truetune verify",
            where=str(folder),
        )
