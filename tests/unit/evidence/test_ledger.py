"""The ledger tells of every change to any line, and survives a kill in the middle of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.core.errors import EvidenceError
from truetune.evidence.ledger import GENESIS, Ledger, entry_hash

EVENTS = ["run.started", "stage.done", "stage.done", "verdict"]


class _Clock:
    def now_iso(self) -> str:
        return "2026-11-22T03:15:02+00:00"

    def monotonic_s(self) -> float:
        return 0.0


def written(path: Path) -> Ledger:
    ledger = Ledger(path, _Clock())
    for number, event in enumerate(EVENTS):
        ledger.append(event, number=number, name="naïve\u2028text")
    return ledger


def lines(ledger: Ledger) -> list[dict[str, object]]:
    return [json.loads(line) for line in ledger.path.read_text(encoding="utf-8").split("\n")[:-1]]


def rewrite(ledger: Ledger, entries: list[dict[str, object]]) -> None:
    ledger.path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")


def broken_at(ledger: Ledger) -> int:
    with pytest.raises(EvidenceError) as caught:
        ledger.read()
    assert caught.value.code == "evidence.ledger"
    assert caught.value.fix
    return int(caught.value.where.rsplit(":", 1)[1])


def test_reads_what_was_written(tmp_path: Path) -> None:
    entries = written(tmp_path / "runs" / "ledger.jsonl").read()
    assert [e.event for e in entries] == EVENTS
    assert [e.seq for e in entries] == [0, 1, 2, 3]
    assert entries[0].prev == GENESIS
    assert [e.prev for e in entries[1:]] == [e.hash for e in entries[:-1]]


def test_no_file_is_no_entry(tmp_path: Path) -> None:
    assert Ledger(tmp_path / "none.jsonl", _Clock()).read() == []


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("field", ["seq", "time", "event", "data", "prev", "hash"])
def test_change_of_any_field_of_any_line_is_named(tmp_path: Path, number: int, field: str) -> None:
    ledger = written(tmp_path / "ledger.jsonl")
    entries = lines(ledger)
    changed = {"seq": 9, "time": "2020", "event": "x", "data": {"number": 77}, "prev": "sha256:" + "1" * 64, "hash": GENESIS}
    entries[number - 1][field] = changed[field]
    rewrite(ledger, entries)
    assert broken_at(ledger) == number


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_line_rewritten_with_its_own_right_hash_breaks_the_next(tmp_path: Path, number: int) -> None:
    """Whoever changes a line and hashes it anew has to hash all that follow; the last is bound by what quotes the ledger."""
    ledger = written(tmp_path / "ledger.jsonl")
    entries = lines(ledger)
    entry = entries[number - 1]
    entry["event"] = "forged"
    entry["hash"] = entry_hash(number - 1, str(entry["time"]), "forged", entry["data"], str(entry["prev"]))  # type: ignore[arg-type]
    rewrite(ledger, entries)
    if number < len(entries):
        assert broken_at(ledger) == number + 1
    else:
        assert ledger.read()[-1].event == "forged"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_removed_line_is_named(tmp_path: Path, number: int) -> None:
    ledger = written(tmp_path / "ledger.jsonl")
    entries = lines(ledger)
    rewrite(ledger, entries[: number - 1] + entries[number:])
    assert broken_at(ledger) == number


def test_swapped_and_doubled_lines_are_named(tmp_path: Path) -> None:
    ledger = written(tmp_path / "ledger.jsonl")
    one, two, three, four = lines(ledger)
    rewrite(ledger, [one, three, two, four])
    assert broken_at(ledger) == 2
    rewrite(ledger, [one, two, two, three, four])
    assert broken_at(ledger) == 3


@pytest.mark.parametrize("text", ["not json", "[" * 100_000, "[]", "{}", "null", '{"seq": 0}'])
def test_line_that_is_no_entry(tmp_path: Path, text: str) -> None:
    ledger = written(tmp_path / "ledger.jsonl")
    with ledger.path.open("a", encoding="utf-8") as stream:
        stream.write(text + "\n")
    assert broken_at(ledger) == 5


def test_nothing_is_added_to_a_broken_ledger(tmp_path: Path) -> None:
    ledger = written(tmp_path / "ledger.jsonl")
    entries = lines(ledger)
    entries[1]["event"] = "x"
    rewrite(ledger, entries)
    before = ledger.path.read_bytes()
    with pytest.raises(EvidenceError):
        ledger.append("more")
    assert ledger.path.read_bytes() == before


@pytest.mark.parametrize("cut", [1, 10, 100])
def test_line_cut_short_by_a_kill_is_no_entry_and_heals(tmp_path: Path, cut: int) -> None:
    ledger = written(tmp_path / "ledger.jsonl")
    ledger.path.write_bytes(ledger.path.read_bytes()[:-cut])
    assert [e.event for e in ledger.read()] == EVENTS[:3]
    ledger.append("again")
    assert [e.event for e in ledger.read()] == [*EVENTS[:3], "again"]


def test_cut_line_heals_without_another_file(tmp_path: Path) -> None:
    """A full disk has no room for one; the same file is shortened in place."""
    ledger = written(tmp_path / "ledger.jsonl")
    ledger.path.write_bytes(ledger.path.read_bytes()[:-10])
    same_file = ledger.path.stat().st_ino
    ledger.append("again")
    assert ledger.path.stat().st_ino == same_file
    assert [p.name for p in tmp_path.iterdir()] == ["ledger.jsonl"]


def test_what_json_cannot_say_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    ledger = written(tmp_path / "ledger.jsonl")
    with pytest.raises(ValueError, match="JSON"):
        ledger.append("x", value=float("nan"))
    assert len(ledger.read()) == len(EVENTS)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_changed_byte_is_named_or_changes_nothing_that_is_said(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """All bytes but the last: without the last one, the newline, the last line is one that a kill cut short."""
    ledger = Ledger(tmp_path_factory.mktemp("ledger", numbered=True) / "ledger.jsonl", _Clock())
    ledger.append("first", a=1)
    ledger.append("second", b="text")
    before = ledger.read()
    content = bytearray(ledger.path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 2))
    content[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
    ledger.path.write_bytes(bytes(content))
    try:
        after = ledger.read()
    except EvidenceError:
        return
    assert after == before
