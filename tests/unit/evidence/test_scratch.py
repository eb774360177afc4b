"""Scratch folders: gone at the end, and gone after a kill as soon as somebody comes by."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from truetune.evidence.scratch import scratch_folder


def test_it_is_gone_at_the_end_and_after_an_error(tmp_path: Path) -> None:
    with scratch_folder(tmp_path, "work") as folder:
        (folder / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ValueError, match="no"), scratch_folder(tmp_path, "work"):
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\nfrom truetune.evidence.scratch import scratch_folder\n"
        "with scratch_folder(Path(sys.argv[1]), 'work') as folder:\n"
        "    (folder / 'file').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    (left,) = tmp_path.glob("work-*.d")
    with scratch_folder(tmp_path, "work") as first, scratch_folder(tmp_path, "work") as second:
        assert not left.exists()
        assert first.exists()
        assert second.exists()
    assert list(tmp_path.iterdir()) == []


def test_other_names_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "workshop-1.d").mkdir()
    (tmp_path / "work-of-mine").mkdir()
    with scratch_folder(tmp_path, "work"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["work-of-mine", "workshop-1.d"]
