"""What a reader of report.html can rely on."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
import sample

from truetune.core.records import CriterionResult, Finding, HardRow, RowRef
from truetune.report import wording
from truetune.report.bundle import Output, ReportBundle, RowText
from truetune.report.render import MOST_BYTES, render

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>'\"&</svg></pre></details></main>"
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Tree(HTMLParser):
    """Checks that tags close in order, and collects them with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []
        self.feed(page)
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


def drawings(page: str) -> list[ElementTree.Element]:
    """Every outermost SVG of the page, parsed as XML."""
    found, depth, start = [], 0, 0
    for match in re.finditer(r"<svg\b|</svg>", page):
        opening = match.group() == "<svg"
        if opening and depth == 0:
            start = match.start()
        depth += 1 if opening else -1
        if depth == 0:
            found.append(ElementTree.fromstring(page[start : match.end()].replace("&nbsp;", " ")))
    return found


def texts(element: ElementTree.Element) -> str:
    return " ".join(element.itertext())


def test_sections_come_in_the_order_in_which_people_decide(page: str) -> None:
    assert re.findall(r'<section id="(\w+)"', page) == [
        "verdict",
        "criteria",
        "changes",
        "elsewhere",
        "data",
        "training",
        "cost",
        "evidence",
    ]
    assert page.index("Hold") < page.index("Criteria</h2>")


def test_the_page_is_whole_html_with_landmarks_and_unique_ids(page: str) -> None:
    tree = Tree(page)
    assert tree.faults == []
    tags = Counter(tag for tag, _ in tree.tags)
    assert all(tags[name] >= 1 for name in ("header", "nav", "main", "footer")) and tags["h1"] == 1
    ids = [attrs["id"] for _, attrs in tree.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    pointed = [attrs["href"] for tag, attrs in tree.tags if tag in ("a", "use")]
    assert {(h or "")[1:] for h in pointed} <= set(ids)
    labels = " ".join(attrs["aria-labelledby"] or "" for _, attrs in tree.tags if "aria-labelledby" in attrs).split()
    assert set(labels) <= set(ids)


def test_every_table_header_has_a_scope_and_every_picture_a_title_and_a_description(page: str) -> None:
    tree = Tree(page)
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in tree.tags if tag == "th")
    assert page.count("<table") == page.count("<caption")
    pictures = [d for d in drawings(page) if d.get("role") == "img"]
    assert len(pictures) >= 15
    for picture in pictures:
        title, description = picture[0], picture[1]
        assert (title.tag, description.tag) == ("title", "desc")
        assert texts(title) and texts(description)
    assert all(d.get("role") == "img" or d.get("aria-hidden") == "true" for d in drawings(page))


def test_nothing_is_loaded_and_nothing_is_sent(page: str) -> None:
    assert not re.search(r"https?:|//[a-z0-9-]+\.[a-z]", page)
    assert not re.search(r"@import|<link|<iframe|<img|<object|<embed|<base|\bsrc=", page)
    assert re.findall(r"url\([^)]*\)", page) == ["url(#hatch)"] * page.count("url(")
    assert "default-src 'none'" in page


def test_only_our_own_script_may_run(page: str) -> None:
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode("utf-8")).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert not any(name.startswith("on") for _, attrs in Tree(page).tags for name in attrs)


def test_nothing_a_user_wrote_becomes_markup(bundle: ReportBundle) -> None:
    assert (
        bundle.config
        and bundle.data
        and bundle.evaluation
        and bundle.train
        and bundle.verdict
        and bundle.base
        and bundle.diagnosis
    )
    evil = replace(
        bundle,
        run_id=EVIL,
        config=bundle.config.model_copy(update={"task": EVIL}),
        outputs=tuple(
            replace(o, prompt=EVIL, output=o.output + EVIL, expected=EVIL, item_id=o.item_id + EVIL) for o in bundle.outputs
        ),
        rows={place: replace(row, prompt=EVIL, answer=EVIL, raw=EVIL) for place, row in bundle.rows.items()},
        flows=tuple(
            replace(f, source=f.source + EVIL, target=f"{f.target}{EVIL}" if f.target.startswith("dropped") else f.target)
            for f in bundle.flows
        ),
        data=bundle.data.model_copy(
            update={
                "gate_reason": EVIL,
                "findings": tuple(
                    f.model_copy(update={"message": EVIL, "fix": EVIL, "code": f.code, "evidence": {EVIL: EVIL}})
                    for f in bundle.data.findings
                ),
                "token_views": tuple(
                    v.model_copy(update={"tokens": tuple(EVIL for _ in v.tokens)}) for v in bundle.data.token_views
                ),
                "task": bundle.data.task.model_copy(update={"labels": (EVIL,), "json_fields": {EVIL: (EVIL,)}, "reason": EVIL}),
            }
        ),
        evaluation=bundle.evaluation.model_copy(
            update={
                "scores": tuple(
                    s.model_copy(update={"suite": s.suite + EVIL if s.suite != "test" else s.suite, "reason": EVIL})
                    for s in bundle.evaluation.scores
                ),
                "criteria": tuple(
                    c.model_copy(
                        update={"name": c.name + EVIL, "suite": EVIL, "reason": EVIL, "decided_by": EVIL, "candidate": EVIL}
                    )
                    for c in bundle.evaluation.criteria
                ),
                "decoding": {EVIL: EVIL},
            }
        ),
        train=bundle.train.model_copy(update={"trainer": EVIL, "versions": {EVIL: EVIL}, "hyperparameters": {EVIL: EVIL}}),
        verdict=bundle.verdict.model_copy(update={"headline": EVIL, "reasons": (EVIL, f"`{EVIL}`"), "would_change": (EVIL,)}),
        base=bundle.base.model_copy(update={"model": EVIL, "known_risks": (EVIL,)}),
        diagnosis=bundle.diagnosis.model_copy(update={"summary": EVIL}),
        notices=(EVIL,),
    )
    page = render(evil)
    assert page.count("<script>") == 1 and "<img" not in page
    assert page.count("&lt;script&gt;") > 100
    assert Tree(page).faults == []
    assert any("<script>" in texts(d) for d in drawings(page))


def test_personal_data_is_nowhere_in_the_page(bundle: ReportBundle, page: str) -> None:
    for value in (sample.EMAIL, sample.PHONE, sample.SECRET, sample.IBAN, sample.CARD, "marlow.finch"):
        assert value not in page
    assert "‹e-mail hidden›" in page and "‹secret hidden›" in page
    learned = Output("tuned_adapter", "test", "x", "Who wrote?", f"It was {sample.EMAIL}", True, "none", 0.0, True)
    asked = replace(learned, candidate="few_shot_base", output="none", score=1.0)
    leaked = render(replace(bundle, outputs=(*bundle.outputs, learned, asked)))
    assert "Who wrote?" in leaked and sample.EMAIL not in leaked


def test_what_no_finding_names_is_shown_as_it_is(bundle: ReportBundle) -> None:
    odd = Output("tuned_adapter", "test", "x", "Order 4000 1234 5678 is late", "delivery", True, "delivery", 0.0, True)
    page = render(replace(bundle, outputs=(odd, replace(odd, candidate="base_model", score=1.0))))
    assert "Order 4000 1234 5678 is late" in page


def test_not_measured_is_as_visible_as_broken(page: str) -> None:
    table = page.split('<section id="criteria"')[1].split("</section>", maxsplit=1)[0]
    assert table.count('class="is-not_measured"') == 2 and table.count('class="is-broken"') == 1
    assert "2 not measured" in table and "1 broken" in table and "3 met" in table
    assert 'class="unmeasured"' in table and "this version has no refusal suite" in table


def test_open_criterion_says_what_would_settle_it(page: str) -> None:
    table = page.split('<section id="criteria"')[1].split("</section>", maxsplit=1)[0]
    lines = [row for row in table.split("<tr ") if 'class="sub settle"' in row]
    assert len(lines) == 1 and "Forgetting" in lines[0]
    assert "about 900 items instead of 240 would settle it" in lines[0]


def test_merge_difference_is_a_logit_not_a_share(bundle: ReportBundle) -> None:
    """4.1e-5 of a logit against a bound of 1e-3: as percent it would read 0.0 % against 0.1 %."""
    assert bundle.evaluation
    line = sample.criterion(
        "adapter_equals_merged", "met", 4.1e-5, 1e-3, n=64, decided_by="all logits", reason="", candidate="merged_model"
    )
    page = render(replace(bundle, evaluation=bundle.evaluation.model_copy(update={"criteria": (line,)})))
    table = page.split('<section id="criteria"')[1].split("</section>", maxsplit=1)[0]
    row = table.split('<tr role="row" class="is-met"')[1].split("</tr>")[0]
    assert "Merged equals adapter" in row and "own scale" in row
    assert f"{wording.THIN}%" not in row and wording.number(4.1e-5) in row and wording.number(1e-3) in row


def test_an_empty_contract_result_shows_what_the_contract_asks_for(bundle: ReportBundle) -> None:
    page = render(replace(bundle, evaluation=None, verdict=None))
    table = page.split('<section id="criteria"')[1].split("</section>")[0]
    assert table.count('class="is-not_run"') == 6 and "Task confusion" in table


def test_worst_regressions_come_first_with_the_differing_part_marked(bundle: ReportBundle) -> None:
    graded = []
    for item, before, after in (("a", 1.0, 0.9), ("b", 1.0, 0.1), ("c", 0.2, 0.8)):
        base = Output("base_model", "test", item, f"prompt {item}", "the same old words", True, "x", before, True)
        graded += [base, replace(base, candidate="tuned_adapter", output="the same new words", score=after)]
    page = render(replace(bundle, outputs=tuple(graded)))
    worse = page.split("<h3>Got worse</h3>")[1].split("<h3>Got better</h3>")[0]
    assert worse.index("prompt b") < worse.index("prompt a") and "prompt c" not in worse
    assert "the same <del>old</del> words" in worse and "the same <ins>new</ins> words" in worse


def test_contradictions_lie_side_by_side_with_the_differing_field_marked(page: str) -> None:
    conflict = page.split('<article class="conflict">')[1].split("</article>", maxsplit=1)[0]
    assert "My parcel is late" in conflict
    assert conflict.count('<div class="differs"><dt>priority</dt>') == 2
    assert "<dt>queue</dt><dd>&#34;delivery&#34;</dd>" in conflict


def test_contradicting_answers_that_are_no_json_are_marked_by_word(bundle: ReportBundle) -> None:
    refs = tuple(sample.ref(line) for line in (50, 51, 52, 53))
    finding = Finding(
        code="data.contradiction",
        severity="block",
        message="4 rows",
        rows=refs,
        groups=(refs[:1], refs[1:3], refs[3:]),
        evidence={
            "prompts": ["where is it", "where is it", "where is it"],
            "answers": ["go to billing", "go to returns", "go to sales"],
        },
    )
    assert bundle.data
    page = render(replace(bundle, rows={}, data=bundle.data.model_copy(update={"findings": (finding,)})))
    conflict = page.split('<article class="conflict">')[1].split("</article>")[0]
    assert all(f"go to <mark>{place}</mark>" in conflict for place in ("billing", "returns", "sales"))
    assert "where is it" in conflict and "1 more row of this group is not shown" in conflict


def test_the_part_that_the_check_found_to_differ_is_marked_and_not_every_other_word(bundle: ReportBundle) -> None:
    refs = tuple(sample.ref(line) for line in (50, 51))
    finding = Finding(
        code="data.contradiction",
        severity="warn",
        message="2 rows",
        rows=refs,
        groups=(refs[:1], refs[1:]),
        evidence={
            "prompts": ["what is it", "what is it"],
            "answers": ["It costs 20 euros.", "You pay 25 euros a day."],
            "spans": [[[9, 17]], [[8, 16]]],
        },
    )
    assert bundle.data
    page = render(replace(bundle, rows={}, data=bundle.data.model_copy(update={"findings": (finding,)})))
    conflict = page.split('<article class="conflict">')[1].split("</article>")[0]
    assert "It costs <mark>20 euros</mark>." in conflict and "You pay <mark>25 euros</mark> a day." in conflict


def test_a_hard_row_says_that_the_data_gate_had_doubted_it(bundle: ReportBundle) -> None:
    assert bundle.data and bundle.train
    hard = bundle.train.hardest[0]
    file, line = bundle.row_ids[hard.row_id]
    doubt = Finding(
        code="data.label.noise",
        severity="warn",
        message="the label 'joy' disagrees with similar rows",
        rows=(RowRef(file=file, line=line),),
    )
    page = render(replace(bundle, data=bundle.data.model_copy(update={"findings": (*bundle.data.findings, doubt)})))
    hardest = page.split('<ol class="hardest">')[1].split("</ol>")[0]
    assert hardest.count("In doubt since the data gate") == 1
    assert "the label &#39;joy&#39; disagrees" in hardest.split("</li>")[0]


def test_trained_tokens_are_marked_in_the_markup_and_counted(page: str) -> None:
    view = sample.token_view()
    assert f"{sum(view.trained)} of {len(view.tokens)} tokens are trained" in page
    tokens = page.split('<p class="tokens"')[1].split("</p>", maxsplit=1)[0]
    assert tokens.count('<mark class="token trained">') == sum(view.trained)
    assert tokens.count('<span class="token">') == len(view.tokens) - sum(view.trained)


def test_tokens_of_a_row_with_personal_data_hide_it(bundle: ReportBundle) -> None:
    assert bundle.data
    tokens = ("write to", " marlow", ".finch", "@example.org", " please")
    view = sample.token_view().model_copy(update={"row": sample.ref(31), "tokens": tokens, "trained": (False,) * 5})
    page = render(replace(bundle, data=bundle.data.model_copy(update={"token_views": (view,)})))
    shown = page.split('<p class="tokens"')[1].split("</p>")[0]
    assert "marlow" not in shown and "finch" not in shown and " please" in shown and shown.count("•••") == 3


def test_findings_are_grouped_by_code_with_the_worst_first(page: str) -> None:
    section = page.split('<section id="data"')[1].split("</section>", maxsplit=1)[0]
    codes = re.findall(r'<code class="code">([\w.]+)</code>', section)
    assert len(codes) == len(set(codes))
    assert set(codes[:3]) == {"data.contradiction", "data.record.malformed", "data.secret"}
    assert codes[-1] == "data.length.context"


def test_a_malformed_line_has_its_place_marked(page: str) -> None:
    before = sample.MALFORMED[: sample.MALFORMED_COLUMN - 1].replace('"', "&#34;")
    assert f"{before}<mark>&#34;</mark>content" in page


def test_evidence_names_every_digest_and_the_commands(bundle: ReportBundle, page: str) -> None:
    assert bundle.data and bundle.train and bundle.evaluation and bundle.base
    digests = (
        bundle.data.curated.digest,
        bundle.train.adapter.digest,
        bundle.evaluation.generations.digest,
        bundle.base.weights.digest,
        bundle.ledger_head,
    )
    assert all(str(digest) in page for digest in digests)
    assert "truetune verify 2026-11-14-a" in page and "truetune compare" in page and "Apache-2.0" in page


@pytest.mark.parametrize(("verdict", "css"), [("release", "v-release"), ("hold", "v-hold"), ("do not fine-tune", "v-stop")])
def test_each_verdict_has_its_own_word_icon_and_look(bundle: ReportBundle, verdict: str, css: str) -> None:
    assert bundle.verdict
    page = render(replace(bundle, verdict=bundle.verdict.model_copy(update={"verdict": verdict})))
    assert f'<body class="{css}">' in page
    assert f"{verdict[0].upper()}{verdict[1:]}</h1>" in page
    assert f'href="#i-{css[2:]}"' in page.split("</h1>")[0].split("<h1")[1]


def test_a_huge_run_stays_under_5_mb_and_says_what_is_left_out(bundle: ReportBundle) -> None:
    assert bundle.data and bundle.train
    long = "word " * 4000
    outputs = [
        Output(candidate, "test", f"t{i}", long + str(i), long, True, long, float((i + j) % 2), True)
        for i in range(1500)
        for j, candidate in enumerate(("base_model", "few_shot_base", "tuned_adapter", "merged_model"))
    ]
    findings = tuple(
        Finding(code=f"data.check{i % 80}", severity="warn", message=long, rows=tuple(sample.ref(n) for n in range(50)), fix=long)
        for i in range(2000)
    )
    rows = {(sample.TICKETS, n): RowText(sample.TICKETS, n, "train", f"r{n}", long, long) for n in range(50)}
    hardest = tuple(HardRow(row_id=f"r{n % 50}", loss=1.0) for n in range(5000))
    big = replace(
        bundle,
        outputs=tuple(outputs),
        rows=rows,
        row_ids={f"r{n}": (sample.TICKETS, n) for n in range(50)},
        data=bundle.data.model_copy(update={"findings": findings}),
        train=bundle.train.model_copy(update={"hardest": hardest}),
    )
    page = render(big)
    assert len(page.encode("utf-8")) < MOST_BYTES
    assert Tree(page).faults == []
    assert re.search(r"[\d,]+ more that got worse are not shown", page)
    assert re.search(r"[\d,]+ more items are not shown", page)
    assert re.search(r"[\d,]+ more of this code are not shown", page)
    assert "more characters)" in page


def test_broken_text_does_not_break_the_page(bundle: ReportBundle) -> None:
    odd = "half \ud800 a pair, \x00 null, \x1b[31m red, \u202e backwards"
    output = Output("tuned_adapter", "test", "x", odd, odd, False, odd, 0.0, False)
    page = render(replace(bundle, outputs=(output, replace(output, candidate="base_model", score=1.0))))
    page.encode("utf-8")
    assert "\x00" not in page and "\x1b" not in page and "␀ null" in page and "did not end by itself" in page


def test_criteria_without_any_figure_can_be_drawn(bundle: ReportBundle) -> None:
    assert bundle.evaluation
    empty = [
        CriterionResult.model_validate({**c.model_dump(), "value": None, "interval": None, "state": "not_measured"})
        for c in bundle.evaluation.criteria
    ]
    page = render(replace(bundle, evaluation=bundle.evaluation.model_copy(update={"criteria": tuple(empty)})))
    assert "6 not measured" in page


# --- colours --------------------------------------------------------------------------------------------------------


def themes(page: str) -> dict[str, dict[str, str]]:
    style = page.split("<style>")[1].split("</style>", maxsplit=1)[0]
    blocks = {
        "light": style.split(":root {")[1].split("}")[0],
        "dark": style.split(':root[data-theme="dark"] {')[1].split("}")[0],
    }
    return {name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for name, block in blocks.items()}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_in_both_themes(page: str, theme: str) -> None:
    colours = themes(page)[theme]
    pairs = [(ink, ground) for ink in ("ink", "soft", "faint") for ground in ("paper", "surface", "sunken")]
    pairs += [
        ("good", "good-soft"),
        ("bad", "bad-soft"),
        ("open", "open-soft"),
        ("accent", "paper"),
        ("ink", "accent-soft"),
        ("ink", "open-soft"),
    ]
    poor = {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair in pairs
        if contrast(colours[pair[0]], colours[pair[1]]) < 4.5
    }
    assert poor == {}
    marks = {name: contrast(colours[name], colours["surface"]) for name in ("c-base", "c-few", "c-tuned", "c-merged")}
    assert all(value >= 3 for value in marks.values()), marks


def test_both_ways_to_dark_are_the_same(page: str) -> None:
    style = page.split("<style>")[1].split("</style>", maxsplit=1)[0]
    by_system = style.split("@media (prefers-color-scheme: dark) {")[1].split("{")[1].split("}")[0]
    by_choice = style.split(':root[data-theme="dark"] {')[1].split("}")[0]
    assert by_system.split() == by_choice.split()
