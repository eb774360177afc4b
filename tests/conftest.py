"""Shared by all tests: no network, no user cache, no colour."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure: no test of ours asks how long an example takes.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

REPOSITORY = Path(__file__).parent.parent
LABELS = ("billing", "delivery", "returns", "account")
_WORDS = {
    "billing": ["charge", "invoice", "card", "payment", "voucher", "price"],
    "delivery": ["parcel", "courier", "tracking", "late", "driver", "address"],
    "returns": ["refund", "exchange", "damaged", "label", "wrong size", "send back"],
    "account": ["password", "login", "email", "profile", "code", "newsletter"],
}
_THINGS = ["kettle", "lamp", "chair", "rug", "mower", "hose", "toaster", "shelf", "curtain", "fan", "stool", "mirror", "clock"]
_TIMES = ["today", "on Monday", "last week", "this morning", "in March", "since Friday", "again", "twice", "at noon"]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    yield


def ticket(label: str, number: int) -> dict[str, object]:
    """A label row that no other number repeats."""
    words = _WORDS[label]
    first, second, third = words[number % 6], words[(number // 6) % 6], words[(number // 36) % 6]
    thing = _THINGS[number % 13]
    when = _TIMES[number % 9]
    text = f"{first} {second} {third} {label}: {thing} {number * 37 % 1009} {when}, case {number}"
    return {
        "messages": [
            {"role": "system", "content": "Sort the message. Answer with one of: " + ", ".join(LABELS)},
            {"role": "user", "content": text},
            {"role": "assistant", "content": label},
        ]
    }


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """240 clean label rows."""
    path = tmp_path / "tickets.jsonl"
    rows = [ticket(LABELS[n % 4], n) for n in range(240)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


Truetune = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def truetune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Truetune:
    """Run the command as a user does, in a process of its own, with a cache of its own."""
    monkeypatch.setenv("TRUETUNE_CACHE", str(tmp_path / "cache"))

    def call(*arguments: str | Path, cwd: Path = tmp_path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "truetune", *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)

    return call


@pytest.fixture
def project(tickets: Path, truetune: Truetune, tmp_path: Path) -> Path:
    """A project over the fake model, made by `init`."""
    made = truetune("init", "project", "--data", tickets, "--base", "fake:tiny")
    assert made.returncode == 0, made.stderr
    return tmp_path / "project"
