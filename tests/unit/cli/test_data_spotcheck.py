"""`truetune data spotcheck` from a pipe, from a file, at a terminal; killed and gone on with."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import Truetune


def asked(output: str) -> list[str]:
    return re.findall(r"^\d+ of \d+  (\S+)", output, re.MULTILINE)


def test_answers_from_a_file(tickets: Path, truetune: Truetune, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("g\nbad\nnote wrong label\nb\nz\nn wrong label\nb\nunsure\n", encoding="utf-8")
    done = truetune("data", "spotcheck", "tickets.jsonl", "-n", "6", "--answers", "a.txt")
    assert done.returncode == 0, done.stderr
    assert "spotcheck 4 of 6 looked at, drawn from 240 rows (tickets.jsonl)" in done.stdout
    assert "verdicts  1 good, 2 bad, 1 unsure" in done.stdout
    assert "errors    66.7% of the rows that were decided; at 95 % between 9.4% and 99.2% (Clopper-Pearson)" in done.stdout
    assert "unsure    counted as neither; were they all bad, it would be 75.0%" in done.stdout
    assert "  wrong label" in done.stdout
    places = asked(done.stdout)
    assert len(places) == 7 and len(set(places)) == 5, "the row that was taken back is asked for again"


def test_it_goes_on_where_it_was(tickets: Path, truetune: Truetune, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("g\ng\nq\n", encoding="utf-8")
    first = truetune("data", "spotcheck", "tickets.jsonl", "-n", "3", "--answers", "a.txt")
    assert "next      the same command goes on from here" in first.stdout
    second = truetune("data", "spotcheck", "tickets.jsonl", "-n", "3", "--answers", "a.txt", "--json")
    record = json.loads(second.stdout)
    assert (record["good"], record["sample"]) == (3, 3)
    assert asked(first.stdout)[2] == asked(second.stderr)[0]
    assert record["interval"]["method"] == "Clopper-Pearson"


def test_the_run_and_the_report_have_the_result(project: Path, truetune: Truetune, tmp_path: Path) -> None:
    assert truetune("data", cwd=project).returncode == 0
    (tmp_path / "a.txt").write_text("g\n" * 9 + "b\n", encoding="utf-8")
    done = truetune("data", "spotcheck", "-n", "10", "--answers", tmp_path / "a.txt", cwd=project)
    assert done.returncode == 0, done.stderr
    (run,) = (project / "runs").iterdir()
    train = {row["row_id"] for row in json.loads((run / "spotcheck.json").read_text())["verdicts"]}
    assert len(train) == 10
    assert (project / "evals" / "spotcheck.jsonl").exists()
    assert truetune("report", cwd=project).returncode == 0
    text = re.sub(r"\s+", " ", (run / "report.html").read_text(encoding="utf-8")).replace("\u202f", " ")
    assert "A person looked at 10 rows of a random sample: 9 good, 1 bad." in text
    assert "10.0 % (95 % interval 0.3 % to 44.5 %)" in text


def test_no_answer_measures_nothing_and_a_wrong_one_is_named(tickets: Path, truetune: Truetune, tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("q\n", encoding="utf-8")
    assert truetune("data", "spotcheck", "tickets.jsonl", "--answers", "none.txt").returncode == 4
    (tmp_path / "odd.txt").write_text("g\nbda\n", encoding="utf-8")
    done = truetune("data", "spotcheck", "tickets.jsonl", "--answers", "odd.txt")
    assert done.returncode == 2
    assert "line 2 of the answers is 'bda'" in done.stderr


def test_keys_at_a_terminal(tickets: Path, tmp_path: Path) -> None:
    """Single keys, no return; a key that means nothing is no answer; the verdicts are there although the process is killed."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "truetune", "data", "spotcheck", "tickets.jsonl", "-n", "4"]
    process = subprocess.Popen(command, cwd=tmp_path, stdin=follower, stdout=follower, stderr=follower, close_fds=True)
    os.close(follower)
    screen = ""
    for key in ("g", "x", "b"):
        screen += _until(leader, "quit")
        os.write(leader, key.encode())
        if key == "x":
            time.sleep(0.2)
            os.write(leader, b"u")
    screen += _until(leader, "quit")
    process.kill()
    process.wait()
    os.close(leader)
    verdicts = re.findall(r'"verdict":"(\w+)"', (tmp_path / "spotcheck.jsonl").read_text(encoding="utf-8"))
    assert verdicts == ["good", "unsure", "bad"], screen


def _until(terminal: int, words: str) -> str:
    seen = ""
    deadline = time.monotonic() + 60
    while words not in seen and time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 4096).decode("utf-8", "replace")
    return seen
