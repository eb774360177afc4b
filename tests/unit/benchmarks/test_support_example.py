"""The committed example is what its README says: a reader and the benchmark can rely on its lines."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from benchmarks.faults import example
from benchmarks.faults.corpora import SUPPORT_SYSTEM, support_examples, without_twins
from ruamel.yaml import YAML

from truetune.core.config import Config
from truetune.core.contract import Contract

FOLDER = example.EXAMPLE
QUEUES = {"billing", "delivery", "returns", "account", "technical"}


@pytest.fixture(scope="module")
def truth() -> dict[str, list[dict[str, object]]]:
    loaded: dict[str, list[dict[str, object]]] = json.loads((FOLDER / "faults.json").read_text(encoding="utf-8"))
    return loaded


def _lines(name: str) -> list[str]:
    return (FOLDER / name).read_text(encoding="utf-8").splitlines()


def test_the_committed_files_are_what_the_planter_makes() -> None:
    assert example.stale(example.files()) == []


def test_clean_rows_are_strict_json_under_one_short_prompt(truth: dict[str, list[dict[str, object]]]) -> None:
    faulty = {fault["line"] for fault in truth["faults"]}
    rows = [json.loads(line) for n, line in enumerate(_lines("data/tickets.jsonl"), 1) if n not in faulty]
    assert len(rows) > 500
    for turns in [row["messages"] for row in [*rows, *map(json.loads, _lines("evals/gold.jsonl"))]]:
        assert [turn["role"] for turn in turns] == ["system", "user", "assistant"]
        assert turns[0]["content"] == SUPPORT_SYSTEM
        answer = json.loads(turns[2]["content"])
        assert list(answer) == ["queue", "priority", "needs_human"]
        assert answer["queue"] in QUEUES and answer["priority"] in ("high", "normal", "low")
        assert turns[2]["content"] == json.dumps(answer)
    assert len(SUPPORT_SYSTEM.split()) <= 90


def test_gold_is_apart_from_the_tickets_but_for_the_planted_leaks(truth: dict[str, list[dict[str, object]]]) -> None:
    leaks = {fault["line"] for fault in truth["faults"] if str(fault["kind"]).startswith("leak,")}
    gold = {json.loads(line)["messages"][1]["content"] for line in _lines("evals/gold.jsonl")}
    assert len(gold) == 60
    unplanted = [line for n, line in enumerate(_lines("data/tickets.jsonl"), 1) if n not in leaks]
    assert not [line for line in unplanted for text in gold if json.dumps(text, ensure_ascii=False) in line]


def test_the_readme_names_every_planted_line(truth: dict[str, list[dict[str, object]]]) -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for fault in truth["faults"]:
        [row] = [line for line in readme.splitlines() if line.startswith(f"| {fault['kind']} |")]
        places = [place.split(" (")[0] for place in row.split("|")[4].strip().split(", ")]
        assert str(fault["line"]) in places
    assert f"{len(_lines('data/tickets.jsonl'))} lines" in readme


def test_messages_are_distinct_and_every_label_is_worth_learning() -> None:
    examples = support_examples()
    assert without_twins(examples)[1] == {}
    answers = [json.loads(row.answer) for row in examples]
    for answer in answers:
        assert not (answer["priority"] == "low" and answer["needs_human"])
    for field in ("queue", "priority", "needs_human"):
        assert min(Counter(answer[field] for answer in answers).values()) >= len(answers) / 10


def test_config_and_contract_are_valid_and_the_config_is_short() -> None:
    yaml = YAML(typ="safe")
    config = Config.model_validate(yaml.load(FOLDER / "truetune.yaml"))
    assert (FOLDER / config.contract).is_file()
    contract = Contract.model_validate(yaml.load(FOLDER / config.contract))
    assert contract.gold_set is not None and (FOLDER / contract.gold_set).is_file()
    assert [Path(source) for source in config.data.sources] == [Path("data/tickets.jsonl")]
    assert len((FOLDER / "truetune.yaml").read_text(encoding="utf-8").splitlines()) <= 10
