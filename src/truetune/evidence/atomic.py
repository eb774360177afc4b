"""Writing so that a reader, or the next start after a kill, sees the old state or the new one, never half.

A full or read-only disk becomes an `EnvironmentFault` that names the path and what to do; temporary files are removed.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from truetune.core.errors import EnvironmentFault

_CAUSES = {
    errno.ENOSPC: ("environment.disk_full", "the disk is full", "free space there (`df -h`), then run the same command again"),
    errno.EDQUOT: ("environment.disk_full", "the disk quota is used up", "free space there, then run the same command again"),
    errno.EROFS: ("environment.read_only", "the file system is read-only", "use a folder you can write to"),
    errno.EACCES: (
        "environment.permission",
        "no permission to write there",
        "`ls -ld` the folder; change its owner or use another one",
    ),
    errno.EPERM: ("environment.permission", "the system does not allow writing there", "`ls -ld` the folder; use another one"),
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write `path` into an error that a user can act on.

    Raises:
        EnvironmentFault: disk full, read-only or not permitted. Other errors pass through unchanged.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _CAUSES:
            raise
        code, why, fix = _CAUSES[error.errno]
        raise EnvironmentFault(code, f"could not write {path}", why=why, fix=fix, where=str(path)) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step, on disk before this returns.

    Raises:
        EnvironmentFault: the disk is full, read-only or not permitted; the old file is still there.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


def write_text(path: Path, content: str) -> None:
    """`write_bytes` for UTF-8 text."""
    write_bytes(path, content.encode("utf-8", "surrogatepass"))


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Fill a folder beside `path`; it takes that name only when the block ends without an error.

    An existing `path` is replaced. What a killed process left half-made has another name and is swept next time.

    Raises:
        EnvironmentFault: the disk is full, read-only or not permitted.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for stale in path.parent.glob(f".{path.name}.*.partial"):
            shutil.rmtree(stale, ignore_errors=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial"))
        try:
            yield temporary
            temporary.chmod(0o755)
            if path.exists():
                shutil.rmtree(path)
            temporary.rename(path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
