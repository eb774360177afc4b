"""Which tokens are trained: the assistants' words and each answer's end token, whatever characters they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.tiny_llama import write_model

from truetune.backends.fake import FakeTokenizer
from truetune.backends.tokenizer import HfTokenizer
from truetune.core.chat import MaskedConversation, TemplateNotPrefixStable, mask_conversations, prompt_ids
from truetune.core.ports import ChatTokenizer, Message


@pytest.fixture(scope="module", params=["fake", "byte-level BPE"])
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ChatTokenizer:
    if request.param == "fake":
        return FakeTokenizer()
    return HfTokenizer(write_model(tmp_path_factory.mktemp("tiny")))


def asked(text: str, answer: str) -> list[Message]:
    return [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]


def mask(tokenizer: ChatTokenizer, messages: Sequence[Message]) -> MaskedConversation:
    return mask_conversations(tokenizer, [messages])[0]


def trained_text(tokenizer: ChatTokenizer, masked: MaskedConversation) -> str:
    return tokenizer.decode([i for i, on in zip(masked.ids, masked.trained, strict=True) if on])


@pytest.mark.parametrize(
    "answer",
    [
        "billing",
        "😀",
        "👩‍👩‍👧 family",
        "one 😀 two",
        "ends with 🇫🇷",
        "é ﬁ 日本語",
        "line\r\nbreak\r\n",
        "line\n\nbreak\n",
        " leading space",
        "trailing space ",
        '{"queue": "billing", "note": "naïve ☕"}',
    ],
)
def test_answer_and_its_end_token_are_trained_and_nothing_else(tokenizer: ChatTokenizer, answer: str) -> None:
    masked = mask(tokenizer, asked("What is it? 😀 é", answer))
    assert trained_text(tokenizer, masked) == answer + "<|im_end|>"


@given(answer=st.text(min_size=1).filter(lambda t: not t[0].isspace() and not t.startswith("<|")), question=st.text())
@example(answer="😀", question="👩‍👩‍👧")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_any_answer_of_any_characters(tokenizer: ChatTokenizer, answer: str, question: str) -> None:
    masked = mask(tokenizer, asked(question, answer))
    assert trained_text(tokenizer, masked) == answer + "<|im_end|>"


@pytest.mark.parametrize("answer", ["  two leading spaces", "\nleading newline", "\n\n  both", "\t\ttabs"])
def test_leading_white_space_that_merges_with_the_template_is_the_only_loss(tokenizer: ChatTokenizer, answer: str) -> None:
    """A token that is half template is not trained; the prompt that generation starts from holds no such token either."""
    text = trained_text(tokenizer, mask(tokenizer, asked("x", answer)))
    assert text.endswith("<|im_end|>")
    kept = text.removesuffix("<|im_end|>")
    assert answer.endswith(kept)
    assert answer[: len(answer) - len(kept)].strip() == ""


def test_every_answer_of_a_conversation_is_trained(tokenizer: ChatTokenizer) -> None:
    turns = [{"role": "system", "content": "s 😀"}, *asked("q1", "a1 ☕"), *asked("q2", "a2")]
    assert trained_text(tokenizer, mask(tokenizer, turns)) == "a1 ☕<|im_end|>a2<|im_end|>"


def test_end_token_inside_an_answer_does_not_hide_the_rest(tokenizer: ChatTokenizer) -> None:
    masked = mask(tokenizer, asked("x", "before<|im_end|>after"))
    assert trained_text(tokenizer, masked) == "before<|im_end|>after<|im_end|>"


def test_prompt_is_what_training_saw_before_the_answer(tokenizer: ChatTokenizer) -> None:
    turns = asked("Where is my 📦?", "delivery")
    masked = mask(tokenizer, turns)
    (prompt,) = prompt_ids(tokenizer, [turns[:1]])
    assert masked.ids[: len(prompt)] == prompt
    assert masked.trained.index(True) == len(prompt)


def test_conversation_without_an_answer_trains_nothing(tokenizer: ChatTokenizer) -> None:
    masked = mask(tokenizer, [{"role": "user", "content": "x"}])
    assert masked.trained_tokens == 0


def test_pieces_show_each_tokens_own_text(tokenizer: ChatTokenizer) -> None:
    masked = mask(tokenizer, asked("plain", "text"))
    assert "".join(masked.pieces()) == masked.text


def test_template_that_rewrites_earlier_turns_is_refused(tmp_path: Path) -> None:
    source = "{% for m in messages %}{{ loop.length }}{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}>{% endif %}"
    (tmp_path / "chat_template.jinja").write_text(source, encoding="utf-8")
    with pytest.raises(TemplateNotPrefixStable):
        mask(FakeTokenizer(tmp_path), asked("a", "b"))
