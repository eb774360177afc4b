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

    An existing `path` is replaced: it is set aside whole before the new one takes its name. What a killed process left has
    another name: the next call on this path sweeps it, or gives an old folder its name back where no new one took it.

    Raises:
        EnvironmentFault: the disk is full, read-only or not permitted.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _tidy_after_a_kill(path)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial"))
        try:
            yield temporary
            temporary.chmod(0o755)
            _take_name(temporary, path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _tidy_after_a_kill(path: Path) -> None:
    for old in _left_behind(path, ".old"):
        if path.exists():
            _remove(old)
        else:
            old.rename(path)
    for partial in _left_behind(path, ".partial"):
        shutil.rmtree(partial, ignore_errors=True)


def _left_behind(path: Path, suffix: str) -> list[Path]:
    """What an earlier call on this very path left; the token in the middle has no dot, which tells `model` from `model.v2`."""
    prefix = f".{path.name}."
    inside = (p for p in path.parent.iterdir() if p.name.startswith(prefix) and p.name.endswith(suffix))
    return sorted(p for p in inside if "." not in p.name[len(prefix) : -len(suffix)])


def _take_name(temporary: Path, path: Path) -> None:
    """Rename, never delete, under the final name: at each moment it names the whole old folder, the whole new one, or none."""
    if not path.exists():
        temporary.rename(path)
        return
    old = temporary.with_suffix(".old")
    path.rename(old)
    try:
        temporary.rename(path)
    except OSError:
        old.rename(path)
        raise
    _remove(old)


def _remove(old: Path) -> None:
    """Delete under another name than `.old`: what is called `.old` is whole, so that it can be given back."""
    doomed = old.with_suffix(".partial")
    old.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
