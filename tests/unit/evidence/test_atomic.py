"""Whatever goes wrong while writing, a reader sees the old content or the new one, and the user hears what to do."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from truetune.core.errors import EnvironmentFault
from truetune.evidence import atomic


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name.endswith((".tmp", ".partial", ".old")))


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    atomic.write_bytes(path, b"old")
    atomic.write_text(path, "naïve \ud800")
    assert path.read_bytes() == "naïve \ud800".encode("utf-8", "surrogatepass")
    assert leftovers(path.parent) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "environment.disk_full"),
        (errno.EDQUOT, "environment.disk_full"),
        (errno.EROFS, "environment.read_only"),
        (errno.EACCES, "environment.permission"),
        (errno.EPERM, "environment.permission"),
    ],
)
def test_refusals_of_the_system_become_what_a_user_can_act_on(tmp_path: Path, number: int, code: str) -> None:
    with pytest.raises(EnvironmentFault) as caught, atomic.writing(tmp_path / "file"):
        raise OSError(number, os.strerror(number))
    assert (caught.value.code, caught.value.exit_code) == (code, 3)
    assert str(tmp_path / "file") in caught.value.what
    assert caught.value.why
    assert caught.value.fix


def test_other_errors_pass_through(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), atomic.writing(tmp_path):
        tmp_path.open("w", encoding="utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_device_that_is_really_full() -> None:
    with pytest.raises(EnvironmentFault) as caught, atomic.writing(Path("/dev/full")), Path("/dev/full").open("wb") as stream:
        stream.write(b"x")
        stream.flush()
    assert caught.value.code == "environment.disk_full"


# --- a real file system that is full, or read-only: a tmpfs in a mount namespace of the test's own -------------------

IN_NAMESPACE = """
import json, subprocess, sys
from pathlib import Path
from truetune.core.errors import EnvironmentFault
from truetune.evidence import atomic
from truetune.evidence.ledger import Ledger
from truetune.evidence.store import ObjectStore

folder = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", folder], check=True)

class Clock:
    def now_iso(self): return "2026-11-22T03:15:02+00:00"
    def monotonic_s(self): return 0.0

def attempt(work):
    try:
        work()
    except EnvironmentFault as error:
        return error.code
    return "written"

def fill(target):
    with atomic.new_folder(target) as inside:
        (inside / "large").write_bytes(bytes(1 << 20))

large, store, ledger = bytes(1 << 20), ObjectStore(folder / "objects"), Ledger(folder / "ledger.jsonl", Clock())
atomic.write_bytes(folder / "file", b"old")
with atomic.new_folder(folder / "made") as inside:
    (inside / "old").write_bytes(b"old")
ledger.append("first")
source = Path(sys.argv[2]); source.write_bytes(large)
state = lambda: [(folder / "file").read_bytes().decode(), [p.name for p in (folder / "made").iterdir()], len(ledger.read())]
full = [attempt(work) for work in (
    lambda: atomic.write_bytes(folder / "file", large), lambda: fill(folder / "made"),
    lambda: store.put_bytes("x", large), lambda: store.put_file(source), lambda: ledger.append("second", text="x" * (1 << 20)),
)]
ledger.append("after the cut line made room")
after_full = state()
left = sorted(p.name for p in folder.rglob("*") if p.name.endswith((".tmp", ".partial", ".old")))
subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
read_only = [attempt(work) for work in (
    lambda: atomic.write_bytes(folder / "file", b"new"), lambda: fill(folder / "made"),
    lambda: store.put_bytes("x", b"x"), lambda: store.put_file(source), lambda: ledger.append("third"),
)]
print(json.dumps({"full": full, "after_full": after_full, "left": left, "read_only": read_only, "after_read_only": state()}))
"""


def test_real_file_system_full_and_read_only(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system does not allow a mount namespace of one's own")
    (tmp_path / "disk").mkdir()
    command = [unshare, "-rm", sys.executable, "-c", IN_NAMESPACE, str(tmp_path / "disk"), str(tmp_path / "source")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "mount:" in done.stderr:
        pytest.skip("this system does not allow mounting a tmpfs")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["full"] == ["environment.disk_full"] * 5
    assert seen["left"] == []
    assert seen["after_full"] == ["old", ["old"], 2]
    assert seen["read_only"] == ["environment.read_only"] * 5
    assert seen["after_read_only"] == seen["after_full"]


# --- killed writers --------------------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from truetune.evidence import atomic
print("ready", flush=True)
while True:
    for letter in (b"a", b"b"):
        atomic.write_bytes(Path(sys.argv[1]), letter * (1 << 20))
"""


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.03, 0.07])
def test_killed_writer_leaves_one_content_or_the_other(tmp_path: Path, after_s: float) -> None:
    path = tmp_path / "file"
    atomic.write_bytes(path, b"a" * (1 << 20))
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(after_s)
        writer.send_signal(signal.SIGKILL)
    assert path.read_bytes() in {letter * (1 << 20) for letter in (b"a", b"b")}


FILLER = """
import sys, time
from pathlib import Path
from truetune.evidence import atomic
with atomic.new_folder(Path(sys.argv[1])) as inside:
    (inside / "half").write_bytes(b"half")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_killed_filler_leaves_the_old_folder_and_is_swept(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with atomic.new_folder(target) as inside:
        (inside / "whole").write_bytes(b"old")
    with subprocess.Popen([sys.executable, "-c", FILLER, target], stdout=subprocess.PIPE, text=True) as filler:
        assert filler.stdout is not None
        assert filler.stdout.readline() == "ready\n"
        filler.send_signal(signal.SIGKILL)
    assert [p.name for p in target.iterdir()] == ["whole"]
    assert len(leftovers(tmp_path)) == 1
    with atomic.new_folder(target) as inside:
        (inside / "new").write_bytes(b"new")
    assert [p.name for p in target.iterdir()] == ["new"]
    assert leftovers(tmp_path) == []


def test_failed_block_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with atomic.new_folder(target) as inside:
        (inside / "whole").write_bytes(b"old")
    with pytest.raises(RuntimeError), atomic.new_folder(target) as inside:
        (inside / "half").write_bytes(b"half")
        raise RuntimeError
    assert [p.name for p in target.iterdir()] == ["whole"]
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere: run the tests as another user")
def test_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(EnvironmentFault) as caught:
            atomic.write_bytes(tmp_path / "file", b"x")
    finally:
        tmp_path.chmod(0o700)
    assert caught.value.code == "environment.permission"


SLOW_SWAP = """
import shutil, sys, time
from pathlib import Path
from truetune.evidence import atomic
remove = shutil.rmtree
def slowly(path, *rest, **options):
    if not Path(path).exists() or not any(Path(path).iterdir()):
        return remove(path, *rest, **options)
    next(Path(path).iterdir()).unlink()
    print("ready", flush=True)
    time.sleep(60)
shutil.rmtree = slowly
with atomic.new_folder(Path(sys.argv[1])) as inside:
    for name in "ab":
        (inside / name).write_bytes(b"new")
"""


def test_killed_while_the_old_folder_is_replaced(tmp_path: Path) -> None:
    """The old folder, the new one, or none; but never half of the old one under the final name."""
    target = tmp_path / "model"
    with atomic.new_folder(target) as inside:
        for name in "ab":
            (inside / name).write_bytes(b"old")
    with subprocess.Popen([sys.executable, "-c", SLOW_SWAP, target], stdout=subprocess.PIPE, text=True) as swapper:
        assert swapper.stdout is not None
        assert swapper.stdout.readline() == "ready\n"
        swapper.send_signal(signal.SIGKILL)
    assert not target.exists() or sorted(p.name for p in target.iterdir()) == ["a", "b"]
    assert len(leftovers(tmp_path)) == 1
    shutil.rmtree(target, ignore_errors=True)
    with pytest.raises(RuntimeError), atomic.new_folder(target):
        raise RuntimeError
    assert not target.exists(), "what was half deleted is never given back"
    assert leftovers(tmp_path) == []


KILLED_BETWEEN = """
import os, signal, sys
from pathlib import Path
from truetune.evidence import atomic
rename = Path.rename
def killed_after_the_old_one_is_aside(self, target):
    done = rename(self, target)
    os.kill(os.getpid(), signal.SIGKILL)
    return done
with atomic.new_folder(Path(sys.argv[1])) as inside:
    (inside / "new").write_bytes(b"new")
    Path.rename = killed_after_the_old_one_is_aside
"""


def test_killed_between_the_two_names_gives_the_old_folder_back(tmp_path: Path) -> None:
    target = tmp_path / "model"
    other = tmp_path / ".model.v2.abcdefgh.old"
    other.mkdir()
    with atomic.new_folder(target) as inside:
        (inside / "whole").write_bytes(b"old")
    killed = subprocess.run([sys.executable, "-c", KILLED_BETWEEN, target], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    with pytest.raises(RuntimeError), atomic.new_folder(target):
        assert [p.name for p in target.iterdir()] == ["whole"]
        raise RuntimeError
    assert [p.name for p in target.iterdir()] == ["whole"]
    assert leftovers(tmp_path) == [other.name], "the folder `model.v2` is another one"


def test_new_folder_that_cannot_take_the_name_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "model"
    with atomic.new_folder(target) as inside:
        (inside / "whole").write_bytes(b"old")
    rename = Path.rename

    def refused(self: Path, to: Path) -> Path:
        if self.suffix == ".partial":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return rename(self, to)

    with pytest.raises(EnvironmentFault), atomic.new_folder(target) as inside:
        (inside / "new").write_bytes(b"new")
        monkeypatch.setattr(Path, "rename", refused)
    assert [p.name for p in target.iterdir()] == ["whole"]
    assert leftovers(tmp_path) == []
