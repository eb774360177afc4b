"""The page of findings: everything is on it, it stays small, it filters without script, it hides what is personal."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from truetune.core.records import CheckReport, DataStats, Finding, RowRef, Severity, SourceFile, TaskProfile
from truetune.report.ci import RuleText
from truetune.report.findings_page import findings_page, ranges
from truetune.report.render import MOST_BYTES

RULES = {"data.contradiction": RuleText("No question has two different answers.", "block")}
VOID = {"meta", "input", "br", "use", "rect", "path"}


class Page(HTMLParser):
    """Open tags in balance, ids, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.feed(html)
        assert not self.open
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids += [named["id"]] if named.get("id") else []  # type: ignore[list-item]
        self.links += [v for k, v in attrs if k in {"src", "href"} and v]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [v for k, v in attrs if k in {"src", "href"} and v]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "script"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def finding(code: str, line: int, message: str, severity: Severity = "warn", file: str = "a.jsonl", **more: object) -> Finding:
    row = RowRef(file=file, line=line)
    return Finding.model_validate({"code": code, "severity": severity, "message": message, "rows": (row,), **more})


def report(findings: list[Finding]) -> CheckReport:
    source = SourceFile(path="a.jsonl", digest="sha256:" + "0" * 64, size_bytes=10, format="messages", rows=9)
    stats = DataStats(rows=100_000, kept=9, dropped=0, effective_unique=9)
    return CheckReport(
        gate="failed", gate_reason="blocking findings", findings=tuple(findings), stats=stats, sources=(source,),
        task=TaskProfile(shape="text"),
    )  # fmt: skip


def test_a_finding_is_shown_with_rows_side_by_side_and_the_place_marked() -> None:
    pair = {"prompts": ["is it <late>", "is it late"], "answers": ["yes", "no"]}
    rows = (RowRef(file="a.jsonl", line=1), RowRef(file="a.jsonl", line=2))
    html = findings_page(
        report(
            [
                finding("data.contradiction", 1, "2 rows differ", "block", evidence=pair, groups=((rows[0],), (rows[1],))),
                finding("data.record.malformed", 3, "not JSON", "block", column=6, evidence={"text": '{"a": }', "mark": 5}),
            ]
        ),
        RULES,
    )
    page = Page(html)
    assert "No question has two different answers." in page.text
    assert "is it <late>" in page.text and "line 2" in page.text
    assert '{"a":<mark> </mark>}' in html.replace("&#34;", '"')
    assert not [link for link in page.links if not link.startswith("#")]


def test_filters_are_boxes_that_the_style_sheet_reads() -> None:
    html = findings_page(report([finding("data.a", 1, "x"), finding("data.b", 2, "y", "block", "b.jsonl")]), RULES)
    for box, hidden in (("show-warn", ".is-warn"), ("show-file-1", ".in-1"), ("show-code-0", "#code-0")):
        assert f'type="checkbox" id="{box}" checked' in html
        assert re.search(rf"body:has\(#{box}:not\(:checked\)\) {re.escape(hidden)} {{ display: none; }}", html)
    assert 'class="card item in-0 is-warn"' in html
    assert 'class="card item in-1 is-block"' in html


@pytest.mark.parametrize("message", ["not JSON: Expecting value", "row {} of its own kind, with words that no other row has: {}"])
def test_a_hundred_thousand_findings_stay_under_five_megabytes_and_all_are_there(message: str) -> None:
    found = [finding("data.record.malformed", 2 * n + 1, message.format(n, n * 7), "block") for n in range(100_000)]
    html = findings_page(report(found), RULES)
    assert len(html.encode()) < MOST_BYTES
    text = Page(html).text
    shown = {int(line) for line in re.findall(r"a\.jsonl:(\d+)", text)} | {int(line) for line in re.findall(r"\b\d+\b", text)}
    assert {2 * n + 1 for n in range(100_000)} <= shown


def test_what_is_personal_is_hidden_and_what_is_hostile_is_text() -> None:
    evil = "<script>alert(1)</script> \x1b[31m mail ann@example.com"
    html = findings_page(report([finding("data.pii.email", 1, evil, evidence={"places": [evil]}, fix=evil)]), {})
    assert "ann@example.com" not in html
    assert "<script>alert" not in html and "\x1b" not in html


def test_nothing_found_is_said() -> None:
    assert "Nothing was found." in Page(findings_page(report([]), RULES)).text


def test_following_lines_are_a_range() -> None:
    assert ranges(["1", "2", "3", "7", "9", "10", "4+5", "11"]) == ["1–3", "7", "9–10", "4+5", "11"]
    assert ranges([]) == []
