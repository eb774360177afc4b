"""The do-not-train list: what its entries catch, what they leave, and what is said of a list that cannot be used."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from truetune.core.config import DoNotTrainEntry
from truetune.core.errors import ConfigError
from truetune.project.do_not_train.entries import read_do_not_train
from truetune.project.do_not_train.matching import DoNotTrain, Subject, described, text_sha256

LETTER = (
    "I moved out of the flat on Birch Lane in March and the deposit has still not been paid back although the landlord "
    "promised it in writing before two witnesses"
)


def matcher(*entries: dict[str, str]) -> DoNotTrain:
    listed = read_do_not_train([DoNotTrainEntry.model_validate(entry) for entry in entries], Path())
    assert listed is not None
    return DoNotTrain(listed)


def subject(*texts: str, ids: tuple[str, ...] = (), sources: tuple[str, ...] = ()) -> Subject:
    return Subject(ids, sources, texts)


@pytest.mark.parametrize(
    ("entry", "row"),
    [
        ({"id": "t-17"}, subject("x", ids=("0f0f", "t-17"))),
        ({"source": "forum"}, subject("x", sources=("data/a.jsonl", "forum"))),
        ({"source": "forum-*.jsonl"}, subject("x", sources=("data/forum-2023.jsonl",))),
        ({"regex": r"(?i)project\s+heron"}, subject("about Project  Heron")),
        ({"sha256": text_sha256("The  Quick fox")}, subject("y", "the quick\nFOX")),
        ({"sha256": "sha256:" + text_sha256("ask\nanswer")}, subject("ask", "answer")),
        ({"text": "cancel it"}, subject("Cancel it!", "ok")),
        ({"text": LETTER}, subject("hello", LETTER.upper())),
        ({"text": LETTER}, subject(f"Dear team, {LETTER}, please advise. Thanks", "ok")),
        ({"text": LETTER}, subject(LETTER[: len(LETTER) // 2], LETTER[len(LETTER) // 2 :])),
    ],
)
def test_found(entry: dict[str, str], row: Subject) -> None:
    found = matcher({"id": "other"}, entry).entry_for(row)
    assert found == DoNotTrainEntry.model_validate(entry)


@pytest.mark.parametrize(
    ("entry", "row"),
    [
        ({"id": "t-1"}, subject("t-1", ids=("t-17",))),
        ({"source": "forum"}, subject("forum", sources=("data/forum.jsonl",))),
        ({"sha256": text_sha256("the quick fox")}, subject("the quick foxes")),
        ({"text": "cancel it"}, subject("please cancel it today", "ok")),
        ({"text": LETTER}, subject("the deposit has still not been paid back", "the landlord promised it")),
        ({"text": LETTER}, subject("")),
    ],
)
def test_left_alone(entry: dict[str, str], row: Subject) -> None:
    assert matcher(entry).entry_for(row) is None


def test_a_fifth_of_the_words_edited_is_still_the_text() -> None:
    rng = random.Random(5)
    for _ in range(200):
        words = LETTER.split()
        for place in sorted(rng.sample(range(len(words)), len(words) // 5), reverse=True):
            edit = rng.choice(("drop", "change", "add"))
            words[place : place + 1] = {"drop": [], "change": ["other"], "add": [words[place], "extra"]}[edit]
        assert matcher({"text": LETTER}).entry_for(subject("so: " + " ".join(words))) is not None


def test_an_entry_is_described_without_its_text_in_full() -> None:
    said = described(DoNotTrainEntry(text=f"write to a.b@example.com {LETTER}", reason="consent withdrawn"))
    assert "a.b@example" not in said and len(said) < 160 and said.endswith("(consent withdrawn)")
    assert described(DoNotTrainEntry(id="t-17")) == "the id 't-17'"


@pytest.mark.parametrize("expression", ["(a+)+$", "(a|aa)+$", "(.*)(.*)(.*)(.*)x$"])
def test_no_expression_takes_more_than_linear_time(expression: str) -> None:
    listed = matcher({"regex": expression})
    start = time.process_time()
    listed.entry_for(subject("a" * 50_000 + "!"))
    assert time.process_time() - start < 5


# --- reading --------------------------------------------------------------------------------------------------------


def read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    read_do_not_train(name, tmp_path)


def test_jsonl_yaml_and_inline_lists_say_the_same(tmp_path: Path) -> None:
    entries = [{"id": "a", "reason": "r"}, {"regex": "x+"}, {"text": "some words"}]
    (tmp_path / "l.jsonl").write_text("\n".join(map(json.dumps, entries)) + "\n\n", encoding="utf-8")
    (tmp_path / "l.yaml").write_text("entries:\n- {id: a, reason: r}\n- regex: x+\n- text: some words\n", encoding="utf-8")
    inline = read_do_not_train([DoNotTrainEntry.model_validate(e) for e in entries], tmp_path)
    assert read_do_not_train("l.jsonl", tmp_path) == read_do_not_train("l.yaml", tmp_path) == inline
    assert inline is not None and inline.digest.startswith("sha256:")
    assert read_do_not_train(None, tmp_path) is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "a"', "not valid JSON"),
        ('{"idd": "a"}', "did you mean `id`"),
        ('{"id": "a", "text": "b"}', "exactly one of"),
        ('{"reason": "r"}', "exactly one of"),
        ('{"id": 17}', "must be text"),
        ('["a"]', "table"),
        ('{"sha256": "abc"}', "64"),
        ('{"regex": "(unclosed"}', "missing )"),
        ('{"regex": "(?=look)ahead"}', "invalid perl operator"),
        ('{"text": "  "}', "empty"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_a_malformed_line_is_named_with_its_number(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "list.jsonl", f'{{"id": "fine"}}\n{line}\n')
    assert caught.value.code == "config.do_not_train"
    assert "list.jsonl:2" in caught.value.what and said in caught.value.what


def test_a_malformed_yaml_list_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "list.yaml", "entries:\n- id: a\n- idd: b\n")
    assert "list.yaml:3:3" in str(caught.value.what) + caught.value.where


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_do_not_train("gone.jsonl", tmp_path)
    assert caught.value.code == "config.missing_file"
