"""Folders for work that other processes have to see: removed at the end, and after a kill by whoever comes next."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from truetune.evidence import atomic


@contextmanager
def scratch_folder(parent: Path, name: str) -> Iterator[Path]:
    """A new folder `NAME-….d` in `parent`; those of the same name whose processes are gone are removed first.

    A lock on `NAME-….lock` says that its process is alive: the system lets go of it, however the process ends.

    Raises:
        EnvironmentFault: the disk is full, read-only or not permitted.
    """
    with atomic.writing(parent):
        parent.mkdir(parents=True, exist_ok=True)
        _sweep(parent, name)
        descriptor, lock_name = tempfile.mkstemp(dir=parent, prefix=f"{name}-", suffix=".lock")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        lock = Path(lock_name)
        folder = lock.with_suffix(".d")
        folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def _sweep(parent: Path, name: str) -> None:
    for folder in parent.glob(f"{name}-*.d"):
        lock = folder.with_suffix(".lock")
        # Not ours to remove, or gone in the meantime: both are no reason to stop.
        with suppress(OSError), lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)
