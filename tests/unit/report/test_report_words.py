"""Numbers, differences and hidden values, as a reader meets them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.report import wording
from truetune.report.bundle import ReportBundle
from truetune.report.diffing import fields_of, word_diff
from truetune.report.render import inline_code
from truetune.report.shown import Limits, Shown, clean
from truetune.report.wording import THIN


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (wording.percent(0.8934), f"89.3{THIN}%"),
        (wording.percent(-0.0001), f"0.0{THIN}%"),
        (wording.points(-0.025), f"−2.5{THIN}pt"),
        (wording.number(134_515_008), "134,515,008"),
        (wording.number(0), "0"),
        (wording.number(3.2e-11), f"3.2{THIN}×{THIN}10⁻¹¹"),
        (wording.number(874.5), "874"),
        (wording.duration(0.42), f"0.4{THIN}s"),
        (wording.duration(59.7), f"1{THIN}min 00{THIN}s"),
        (wording.duration(7500), f"2{THIN}h 05{THIN}min"),
        (wording.size(999), f"999{THIN}B"),
        (wording.size(3_048_000_000), f"3.0{THIN}GB"),
        (wording.p_value(0.0), f"p{THIN}<{THIN}0.001"),
        (wording.keyed("latency_s", 2.0), f"2.0{THIN}s"),
        (wording.keyed("x", None), "not measured"),
        (wording.metric_name("task_success_min"), "Task success"),
    ],
)
def test_numbers_are_written_as_people_read_them(written: str, expected: str) -> None:
    assert written == expected


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_difference_keeps_both_texts_and_marks_nothing_that_is_equal(before: str, after: str) -> None:
    left, right = word_diff(before, after)
    assert "".join(s.text for s in left) == before
    assert "".join(s.text for s in right) == after
    assert ([s.text for s in left if not s.differs] and True) or before == "" or all(s.differs for s in left)
    assert "".join(s.text for s in left if not s.differs) == "".join(s.text for s in right if not s.differs)
    assert any(s.differs for s in (*left, *right)) == (before != after)


def test_fields_that_differ_or_are_missing_are_marked() -> None:
    both = fields_of(['{"a": 1, "b": "x"}', '{"a": 1}'])
    assert both is not None
    assert [(f.name, f.differs) for f in both[0]] == [("a", False), ("b", True)]
    assert both[1][1].value == "(missing)"
    assert fields_of(['{"a": 1}', "plain"]) is None


@given(st.text(st.characters(codec=None), max_size=60))
def test_cleaned_text_can_always_be_written(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert not any(ord(c) < 32 and c not in "\n\t" for c in cleaned)


@pytest.mark.parametrize(
    "value",
    [
        "ada.l@mail.example.co.uk",
        "+49 (0)30 901820 11",
        "4111-1111-1111-1111",
        "DE89370400440532013000",
        "GB82 WEST 1234 5698 7654 32",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "AKIAIOSFODNN7EXAMPLE",
        "192.168.17.4",
        "2001:db8:0:1:1:1:1:1",
        "password: correcthorse",
        "sk-live-abcdefghijklmnop",
        "postgres://admin:swordfish@db.example.org",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_each_kind_of_personal_value_is_hidden(value: str) -> None:
    shown = Shown(ReportBundle("run"), Limits())
    hidden = shown.personal(f"before {value} after")
    assert value not in hidden and hidden.startswith("before ‹") and hidden.endswith("› after")
    assert shown.text(f"before {value} after") == f"before {value} after"


def test_a_long_text_says_how_much_is_left_out() -> None:
    shown = Shown(ReportBundle("run"), Limits(text_chars=100))
    assert shown.text("x" * 1500) == "x" * 100 + " … (1,400 more characters)"
    assert shown.text("x" * 110) == "x" * 110


@pytest.mark.parametrize("cut", range(95, 130))
def test_half_a_hidden_value_never_stands_at_the_cut(cut: int) -> None:
    shown = Shown(ReportBundle("run"), Limits(text_chars=cut))
    text = "x" * 90 + " marlow.finch@example.org and +44 1632 960 881 " + "y" * 2000
    assert "marlow" not in shown.personal(text) and "1632" not in shown.personal(text)


def test_a_model_in_a_loop_is_compared_at_once() -> None:
    before, after = word_diff("again and " * 3000, "again and " * 2999 + "stop")
    assert before[0].differs and after[0].differs


def test_limits_never_reach_zero() -> None:
    limits = Limits()
    for _ in range(20):
        limits = limits.halved()
    assert min(limits.flips, limits.items, limits.examples, limits.groups, limits.text_chars, limits.tokens) >= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run `truetune run` now", "run <code>truetune run</code> now"),
        ("task_success_min met. Then", "<code>task_success_min</code> met. Then"),
        ("it breaks task_confusion_max.", "it breaks <code>task_confusion_max</code>."),
        ("see data/my_file.jsonl", "see data/my_file.jsonl"),
        ("`<b>` and a_<b>", "<code>&lt;b&gt;</code> and a_&lt;b&gt;"),
    ],
)
def test_commands_and_contract_names_read_as_code(text: str, expected: str) -> None:
    assert str(inline_code(text)) == expected


def test_lines_that_the_evaluation_adds_to_the_contract_have_names_and_units() -> None:
    assert wording.metric_name("beats_few_shot_base") == "Beats base + few-shot"
    assert wording.measure("beats_base_model", 0.25) == f"25.0{THIN}%"
    assert wording.measure("adapter_equals_merged", 1e-3) == "0.001"
    assert wording.measure("human_review", 50.0) == "50"
    assert wording.metric_name("field.queue") == "Field queue"
