"""Answers whose first or last trained token is not theirs: the template's words are trained, or a part of the answer is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from truetune.core.chat import MaskedConversation
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.template.base import Rendered, TemplateNotice

CODE = "data.template.boundary"
_FIX = "correct chat_template.jinja in a local copy of the model: what opens an answer belongs into the generation prompt"


def _notice(rendered: Rendered, masked: MaskedConversation) -> str | None:
    answers = [message["content"].strip() for message in rendered.row.messages if message["role"] == "assistant"]
    bodies = list(_trained_texts(masked, rendered.tokenizer.eos_token_ids))
    if len(bodies) != len(answers):
        return None
    said = (_around(answer, body.strip()) for answer, body in zip(answers, bodies, strict=True))
    return next(filter(None, said), None)


def _trained_texts(masked: MaskedConversation, ends: Sequence[int]) -> Iterator[str]:
    """The text of each run of trained tokens, its end token left out."""
    for trained, run in groupby(range(len(masked.ids)), key=lambda place: masked.trained[place]):
        places = list(run)
        if trained:
            if masked.ids[places[-1]] in ends:
                places.pop()
            yield masked.text[masked.offsets[places[0]][0] : masked.offsets[places[-1]][1]] if places else ""


def _around(answer: str, body: str) -> str | None:
    """What is wrong where the trained text is not the answer; None where it is, or where the template changes the answer."""
    if body == answer:
        return None
    before, found, after = body.partition(answer)
    if found:
        shown, where = (before, "before") if before else (after, "after")
        return f"the template writes {excerpt(shown)!r} {where} the answer, and it is trained as a part of it"
    if not body:
        return "the whole answer shares a token with the prompt and is not trained, only its end is"
    if answer.endswith(body):
        return "the first characters of the answer share a token with the prompt and are not trained"
    return None


CHECK = TemplateNotice(
    code=CODE,
    severity="warn",
    claim="The first and the last trained token of each answer are the answer's own, its end token included.",
    fix=_FIX,
    notice=_notice,
)
