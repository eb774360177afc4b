"""JSON answers against the schema that the user declares, or against what the other answers have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.unit.stages.data.rows_for_tests import (
    Record,
    Silent,
    check_rows,
    distinct_prompts,
    found,
    lines_of,
    record,
    write_lines,
)

from truetune.core.config import DataConfig
from truetune.core.errors import ConfigError
from truetune.core.records import CheckReport
from truetune.stages.data.check import run_check
from truetune.stages.data.checks.records.schema import outside
from truetune.stages.data.reading.answer_schema import read_schema

CODE = "data.record.schema"
PROMPTS = distinct_prompts(140)
SCHEMA: Mapping[str, object] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["queue", "urgent"],
    "additionalProperties": False,
    "properties": {
        "queue": {"enum": ["billing", "returns"]},
        "urgent": {"type": "boolean"},
        "items": {"type": "array", "prefixItems": [{"type": "string"}], "items": {"$ref": "#/$defs/count"}},
    },
    "$defs": {"count": {"type": "integer", "minimum": 0}},
}


def answer(number: int) -> dict[str, object]:
    return {"queue": ("billing", "returns")[number % 2], "urgent": number % 3 == 0}


def rows(count: int = 100) -> list[Record]:
    return [record(PROMPTS[n], json.dumps(answer(n))) for n in range(count)]


def checked(tmp_path: Path, records: list[Record], against: list[Record] | None = None) -> CheckReport:
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA), encoding="utf-8")
    path = write_lines(tmp_path / "rows.jsonl", records)
    held_out = [write_lines(tmp_path / "held_out.jsonl", against)] if against else []
    return run_check([path], held_out, DataConfig(sources=(), answer_schema=str(schema)), progress=Silent())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('{"queue": "sales", "urgent": true}', "$.queue: 'sales' is not one of"),
        ('{"queue": "billing"}', "$: 'urgent' is a required property"),
        ('{"queue": "billing", "urgent": "yes"}', "$.urgent: 'yes' is not of type 'boolean'"),
        ('{"queue": "billing", "urgent": true, "note": 1}', "Additional properties"),
        ('{"queue": "billing", "urgent": true, "items": ["a", 1, -2]}', "$.items[2]: -2 is less than the minimum"),
        ('["billing"]', "$: ['billing'] is not of type 'object'"),
        ('{"queue": "billing", "urgent": tru', "not JSON"),
        ("billing", "not JSON"),
        ('{"queue": 1}', "(and 1 more)"),
    ],
)
def test_an_answer_that_violates_the_declared_schema_blocks(tmp_path: Path, wrong: str, said: str) -> None:
    report = checked(tmp_path, [*rows(), record("And this?", wrong)])
    (finding,) = found(report, CODE)
    assert said in finding.message
    assert (lines_of([finding]), finding.severity, report.gate) == ([[101]], "block", "failed")
    assert report.stats.kept == 100


def test_answers_that_fit_have_no_finding(tmp_path: Path) -> None:
    fits = record("And this?", '{"queue": "billing", "urgent": true, "items": ["a", 1, 2]}')
    report = checked(tmp_path, [*rows(), fits], [record("And that?", '{"queue": "returns", "urgent": false}')])
    assert found(report, CODE) == []
    assert report.task.shape == "json"


def test_held_out_answers_are_held_against_the_schema_too(tmp_path: Path) -> None:
    (finding,) = found(checked(tmp_path, rows(), [record("And that?", '{"queue": "lost", "urgent": false}')]), CODE)
    assert finding.rows[0].file.endswith("held_out.jsonl")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "it is not JSON"),
        ('{"type": "txt"}', "at $.type"),
        ('{"$ref": "https://example.org/schema.json"}', "it refers to 'https://example.org/schema.json'"),
        ('{"properties": {"a": {"$ref": "other.json#/x"}}}', "it refers to 'other.json#/x'"),
        (None, "it cannot be read"),
    ],
)
def test_a_schema_that_cannot_be_used_is_said(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "schema.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        read_schema(path, "schema.json")
    assert raised.value.code == "config.answer_schema"
    assert said in raised.value.why


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('{"queue": "billing"}', "the answer lacks 'urgent', which 99% of the answers have"),
        ('{"queue": "biling", "urgent": true}', "'biling' is no usual value of 'queue': 1 of 101 answers have it"),
        ('{"queue": "billing", "urgent": "true"}', "'urgent' is text; nearly everywhere else it is true or false"),
        ('{"queue": null, "urgent": true}', "'queue' is null; nearly everywhere else it is text"),
        ("billing", "the answer is no JSON object"),
        ("{'queue': 'billing', 'urgent': True}", "the answer is no JSON object"),
    ],
)
def test_an_answer_unlike_all_others_is_worth_a_look(tmp_path: Path, wrong: str, said: str) -> None:
    (finding,) = found(check_rows(tmp_path, [*rows(), record("And this?", wrong)]), CODE)
    assert said in finding.message
    assert (lines_of([finding]), finding.severity) == ([[101]], "warn")


def test_an_optional_key_and_free_text_are_left_alone(tmp_path: Path) -> None:
    records = []
    for n in range(100):
        more = {"note": f"note {n}"} if n % 10 else {}
        records.append(record(PROMPTS[n], json.dumps({**answer(n), "name": f"Ada {n}", **more})))
    assert found(check_rows(tmp_path, records), CODE) == []


def test_a_cut_off_answer_is_said_once(tmp_path: Path) -> None:
    report = check_rows(tmp_path, [*rows(), record("And this?", '{"queue": "billing", "urg')])
    assert found(report, CODE) == []
    assert len(found(report, "data.record.truncated")) == 1


def test_few_answers_show_no_form(tmp_path: Path) -> None:
    assert found(check_rows(tmp_path, [*rows(40), record("And this?", '{"queue": "billing"}')]), CODE) == []


@pytest.mark.parametrize(
    ("counts", "odd"),
    [
        ({"a": 60, "b": 40}, set()),
        ({"a": 60, "b": 38, "c": 1}, {"c"}),
        ({"a": 60, "b": 38, "c": 1, "d": 1}, {"c", "d"}),
        ({"a": 60, "b": 20, "c": 9, "d": 4, "e": 2, "f": 1}, set()),
        ({f"name {n}": 1 for n in range(100)}, set()),
        ({"a": 60, "b": 30, "c": 10}, set()),
    ],
)
def test_what_lies_outside_of_a_closed_set(counts: dict[str, int], odd: set[str]) -> None:
    assert outside(counts) == odd
