"""What `check` prints: like a compiler's messages, at any width, with and without colour."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from truetune.cli.findings import marked, print_findings
from truetune.core.records import Finding, RowRef


def rows(*lines: int) -> tuple[RowRef, ...]:
    return tuple(RowRef(file="t.jsonl", line=line) for line in lines)


MALFORMED = Finding(
    code="data.record.malformed",
    severity="block",
    message="not JSON: Expecting value",
    rows=rows(2),
    column=15,
    evidence={"text": '{"messages": [}', "mark": 14},
    fix="correct the line, or delete it",
)
CONTRADICTION = Finding(
    code="data.contradiction",
    severity="block",
    message="2 rows ask the same and get 2 different answers",
    rows=rows(4, 9),
    groups=(rows(4), rows(9)),
    evidence={
        "prompts": ["please where is my parcel", "where is my parcel"],
        "answers": ['{"queue": "delivery", "urgent": false}', '{"queue": "returns", "urgent": false}'],
    },
    fix="decide which answer is right",
)
EMAILS = [
    Finding(
        code="data.pii.email",
        severity="warn",
        message="turn 2 (user) holds an e-mail address",
        rows=rows(line),
        evidence={"entity": "email", "places": ["turn 2 (user), characters 3–9: a…m"]},
        fix="replace it by a placeholder",
    )
    for line in range(10, 17)
]


def printed(*findings: Finding, width: int = 100, most: int = 5, color: bool = False) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        highlight=False,
        soft_wrap=True,
        emoji=False,
        markup=False,
        force_terminal=color,
        no_color=not color,
    )
    print_findings(console, list(findings), most, "--max-findings 0")
    return stream.getvalue()


def test_the_whole_text() -> None:
    text = printed(*EMAILS, CONTRADICTION, MALFORMED, most=2)
    assert "\n".join(line.rstrip() for line in text.splitlines()) + "\n" == (
        """\
t.jsonl:4 (+1)  block data.contradiction  2 rows ask the same and get 2 different answers
    line 4                                           line 9
    ‹please› where is my parcel                      where is my parcel
    {"queue": "‹delivery›", "urgent": false}         {"queue": "‹returns›", "urgent": false}
    fix: decide which answer is right
t.jsonl:2:15  block data.record.malformed  not JSON: Expecting value
    {"messages": [}
                  ^
    fix: correct the line, or delete it
t.jsonl:10  warn data.pii.email  turn 2 (user) holds an e-mail address
    turn 2 (user), characters 3–9: a…m
t.jsonl:11  warn data.pii.email  turn 2 (user) holds an e-mail address
    turn 2 (user), characters 3–9: a…m
    fix: replace it by a placeholder
… and 5 more data.pii.email (all of them: --max-findings 0)
"""
    )


def test_a_narrow_terminal_puts_the_sides_below_each_other() -> None:
    text = printed(CONTRADICTION, width=50)
    assert "    line 4\n      ‹please› where is my parcel\n" in text
    assert "    line 9\n      where is my parcel\n" in text


@pytest.mark.parametrize("width", [20, 40, 79, 80, 200])
def test_columns_stay_inside_the_terminal(width: int) -> None:
    wide = CONTRADICTION.model_copy(update={"evidence": {"prompts": ["语" * 90, "语" * 91], "answers": ["a", "b"]}})
    lines = printed(wide, width=width).splitlines()
    if width >= 80:
        assert max(map(cell_len, lines[1:])) <= width
    assert "".join(lines).count("语") == 181


@pytest.mark.parametrize("column", [1, 30, 61, 90])
def test_the_mark_stands_under_its_character(column: int) -> None:
    text = "".join(chr(ord("a") + n % 26) for n in range(120))
    finding = MALFORMED.model_copy(update={"column": column, "evidence": {"text": text, "mark": column - 1}})
    shown, mark = printed(finding, width=60).splitlines()[1:3]
    assert mark.endswith("^")
    assert shown[len(mark) - 1] == text[column - 1]


def test_rows_that_say_the_same_are_named_and_no_text_is_put_at_a_wrong_line() -> None:
    three = Finding(
        code="data.duplicate.near",
        severity="warn",
        message="3 rows say nearly the same",
        rows=(*rows(3, 8), RowRef(file="u.jsonl", line=2)),
        groups=((*rows(3, 8), RowRef(file="u.jsonl", line=2)),),
        evidence={"first": "is it late", "second": "is it very late", "answer": "yes"},
        fix="keep one",
    )
    text = printed(three)
    assert "    also at line 8, u.jsonl:2\n" in text
    assert "‹very›" in text and text.count("line 8") == 1
    many = three.model_copy(update={"rows": rows(*range(1, 21)), "groups": (rows(*range(1, 21)),)})
    assert "line 9 and 11 more\n" in printed(many)


def test_zero_prints_all_and_the_fix_once() -> None:
    text = printed(*EMAILS, most=0)
    assert text.count("data.pii.email") == len(EMAILS)
    assert text.count("fix:") == 1


def test_colour_adds_and_plain_text_says_the_same() -> None:
    colored = printed(CONTRADICTION, *EMAILS, color=True)
    assert "\x1b[" in colored
    assert "\x1b[" not in printed(CONTRADICTION, *EMAILS)


def test_what_a_row_says_cannot_move_the_cursor() -> None:
    evil = MALFORMED.model_copy(update={"message": "a\x1b[2Jb\rc", "evidence": {"text": "x\x07y", "mark": 0}})
    text = printed(evil)
    assert not {"\x1b", "\r", "\x07"} & set(text)


def test_texts_that_share_nothing_are_left_alone() -> None:
    assert [t.plain for t in marked("joy", "calm")] == ["joy", "calm"]
    assert [t.plain for t in marked("very calm", "calm")] == ["‹very› calm", "calm"]


@pytest.mark.parametrize("width", [60, 120])
def test_the_part_that_a_check_found_to_differ_is_marked_and_not_every_other_word(width: int) -> None:
    finding = CONTRADICTION.model_copy(
        update={
            "evidence": {
                "prompts": ["what is it", "what is it"],
                "answers": ["It is 20 euros.", "You pay 25 euros."],
                "spans": [[[6, 14]], [[8, 16]]],
            }
        }
    )
    text = printed(finding, width=width)
    assert "It is ‹20 euros›." in text and "You pay ‹25 euros›." in text
