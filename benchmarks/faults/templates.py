"""Chat templates and tokenizers with a fault each, in five styles, and rows of real texts that show it.

A planting is a model folder (`tokenizer.json`, `tokenizer_config.json`, `chat_template.jinja`) and a file of rows; what is wrong
is wrong with all of the rows or with some of them, and those must be named. Sound folders have the same styles and rows.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.faults.corpora import Corpus, Example, snips, support_triage
from benchmarks.real_data import DataAbsentError

FILE_ROWS = 40
MAX_LENGTH = 1024
_UNKNOWN = "<unk>"

Turns = list[dict[str, str]]


@dataclass(frozen=True)
class Style:
    """How a family of models writes a conversation: around each turn, and what ends it."""

    before: str
    after_role: str
    end: str
    after: str
    assistant: str = "assistant"


STYLES = {
    "im": Style("<|im_start|>", "\n", "<|im_end|>", "\n"),
    "angle": Style("<|", "|>\n", "</s>", "\n"),
    "header": Style("<|start_header_id|>", "<|end_header_id|>\n\n", "<|eot_id|>", ""),
    "turn": Style("<start_of_turn>", "\n", "<end_of_turn>", "\n", assistant="model"),
    "plain": Style("<|", "|>", "<|end|>", ""),
}
"""Written here after the manner of well-known families; none is any model's own file."""


@dataclass(frozen=True)
class Parts:
    """A template in pieces of Jinja, so that one of them can be spoiled."""

    style: Style
    first: str = ""
    content: str = "m['content']"
    role: str = ""
    before_answer: str = ""
    after_answer: str = ""
    end: str = ""
    ask: str = ""
    skips_answers: bool = False

    def source(self) -> str:
        """The template."""
        named = self.role or _role(self.style)
        opened = f"{{{{ {_quoted(self.style.before)} + {named} + {_quoted(self.style.after_role)} }}}}"
        answer = f"{{% if m['role'] == 'assistant' %}}{{{{ {_quoted(self.before_answer)} }}}}{{% endif %}}"
        behind = f"{{% if m['role'] == 'assistant' %}}{{{{ {_quoted(self.after_answer)} }}}}{{% endif %}}"
        end = self.end or _quoted(self.style.end)
        turn = f"{opened}{answer if self.before_answer else ''}{{{{ {self.content} }}}}{behind if self.after_answer else ''}"
        turn += f"{{{{ {end} }}}}{{{{ {_quoted(self.style.after)} }}}}"
        if self.skips_answers:
            turn = f"{{% if m['role'] != 'assistant' %}}{turn}{{% endif %}}"
        ask = self.ask or _quoted(_ask(self.style))
        asked = "" if self.ask == "-" else f"{{% if add_generation_prompt %}}{{{{ {ask} }}}}{{% endif %}}"
        return f"{self.first}{{% for m in messages %}}{turn}{{% endfor %}}{asked}"


def _role(style: Style) -> str:
    return f"({_quoted(style.assistant)} if m['role'] == 'assistant' else m['role'])"


def _ask(style: Style) -> str:
    return f"{style.before}{style.assistant}{style.after_role}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\n", "\\n").replace("'", "\\'") + "'"


@dataclass(frozen=True)
class Planting:
    """A template and rows; `named` are the lines that must be named, from 1."""

    parts: Parts
    rows: tuple[Turns, ...]
    named: frozenset[int]
    knows_all: bool = True


@dataclass(frozen=True)
class TemplateKind:
    """A fault of a template, a tokenizer or the rows under it."""

    name: str
    code: str
    severity: str
    make: Callable[[random.Random, Planting], Planting]


def _every(planting: Planting) -> frozenset[int]:
    return frozenset(range(1, len(planting.rows) + 1))


def _where(planting: Planting, holds: Callable[[Turns], bool]) -> frozenset[int]:
    return frozenset(n for n, row in enumerate(planting.rows, 1) if holds(row))


def _is_long(row: Turns) -> bool:
    return sum(turn["role"] == "assistant" for turn in row) > 1


def _rewritten(rng: random.Random, planting: Planting) -> Planting:
    """What was said in earlier turns is written in another way once later ones follow."""
    parts = planting.parts
    earlier = "m['role'] == 'assistant' and not loop.last"
    spoiled = rng.choice(
        (
            replace(parts, content=f"('(said before)' if {earlier} else m['content'])"),
            replace(parts, content=f"(m['content'][:3] if {earlier} else m['content'])"),
            replace(parts, end=f"('' if {earlier} else {_quoted(parts.style.end)})"),
            replace(parts, role=f"('earlier' if {earlier} else {_role(parts.style)})"),
        )
    )
    return replace(planting, parts=spoiled, named=_where(planting, _is_long))


def _asked_otherwise(rng: random.Random, planting: Planting) -> Planting:
    """The model is asked with other words than those that the conversation goes on with."""
    style = planting.parts.style
    ask = rng.choice(
        (
            f"{_ask(style)}<think>\n",
            f"{style.before}bot{style.after_role}",
            f"{_ask(style)}Answer: ",
            f"\n{_ask(style)}",
            f"{_ask(style)}Sure! ",
        )
    )
    return replace(planting, parts=replace(planting.parts, ask=_quoted(ask)), named=_every(planting))


def _refusing(rng: random.Random, planting: Planting) -> Planting:
    """Conversations with a system turn, or of more than one question, are refused."""
    if rng.random() < 0.6:
        some = [row[1:] if rng.random() < 0.6 else row for row in planting.rows]
        planting = replace(planting, rows=tuple(some))
        said = rng.choice(("messages[0]['role'] == 'system'", "messages[0]['role'] not in ('user', 'assistant')"))
        named = _where(planting, lambda row: row[0]["role"] == "system")
    else:
        said, named = "messages | selectattr('role', 'equalto', 'user') | list | length > 1", _where(planting, _is_long)
    first = f"{{% if {said} %}}{{{{ raise_exception('this conversation is not supported') }}}}{{% endif %}}"
    return replace(planting, parts=replace(planting.parts, first=first), named=named)


def _endless(rng: random.Random, planting: Planting) -> Planting:
    """Answers are not ended by the end token, or neither asked for nor written.

    Where they are asked for and not written, what is asked is not how the conversation goes on, which is the kind above.
    """
    way = rng.choice(("nothing", "other", "no answers"))
    if way == "no answers":
        return replace(planting, parts=replace(planting.parts, skips_answers=True, ask="-"), named=_every(planting))
    end = "'\\n'" if way == "nothing" else _quoted(rng.choice(("###", "[END]", "<stop>", "---")))
    return replace(planting, parts=replace(planting.parts, end=end), named=_every(planting))


_CHANGES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("m['content'] | lower", str.lower),
    ("m['content'] | upper", str.upper),
    ("m['content'] | replace('e', '3')", lambda text: text.replace("e", "3")),
    ("m['content'] | replace('a ', '')", lambda text: text.replace("a ", "")),
    ("m['content'][:50]", lambda text: text[:50]),
)
_STRANGE = ("ж", "語", "ß", "é", "Ω", "ł")


def _changing(rng: random.Random, planting: Planting) -> Planting:
    """The template changes what is said, or the tokenizer has no token for some characters."""
    if rng.random() < 0.7:
        expression, change = rng.choice(_CHANGES)
        named = _where(planting, lambda row: any(change(turn["content"]) != turn["content"] for turn in row))
        return replace(planting, parts=replace(planting.parts, content=expression), named=named)
    rows = list(planting.rows)
    strange = rng.sample(range(len(rows)), rng.randint(1, 6))
    for place in strange:
        rows[place] = [
            {**turn, "content": f"{turn['content']} {rng.choice(_STRANGE)}"} if turn["role"] == "user" else turn
            for turn in rows[place]
        ]
    return replace(planting, rows=tuple(rows), knows_all=False, named=frozenset(place + 1 for place in strange))


_OWN_SYSTEM = (
    "You are a helpful assistant.",
    "You are a tidy model made by nobody in particular.",
    "Cutting Knowledge Date: December 2023",
    "Be brief and kind, and never make anything up.",
)


def _with_system(rng: random.Random, planting: Planting) -> Planting:
    """The template writes a system prompt of its own into the rows that have none."""
    rows = tuple(row[1:] if rng.random() < 0.4 else row for row in planting.rows)
    rows = (rows[0][-2:], planting.rows[1], *rows[2:])
    style = planting.parts.style
    own = f"{style.before}system{style.after_role}{rng.choice(_OWN_SYSTEM)}{style.end}{style.after}"
    first = f"{{% if messages and messages[0]['role'] != 'system' %}}{{{{ {_quoted(own)} }}}}{{% endif %}}"
    made = replace(planting, parts=replace(planting.parts, first=first), rows=rows)
    return replace(made, named=_where(made, lambda row: row[0]["role"] != "system"))


def _overlapping(rng: random.Random, planting: Planting) -> Planting:
    """Words of the template are trained as if they were the answer's, or the answer's first characters are not trained."""
    parts = planting.parts
    spoiled = rng.choice(
        (
            replace(parts, ask="-"),
            replace(parts, before_answer=rng.choice(("<think>\n\n</think>\n\n", "Answer: ", "> "))),
            replace(parts, after_answer=rng.choice(("\n(end of answer)", " Goodbye.", "\n\n---"))),
            replace(parts, ask=_quoted(f"{_ask(parts.style)} "), before_answer=" "),
        )
    )
    return replace(planting, parts=spoiled, named=_every(planting))


def _too_long(rng: random.Random, planting: Planting) -> Planting:
    """A few rows are longer than the window."""
    rows = list(planting.rows)
    long = rng.sample(range(len(rows)), rng.randint(1, 6))
    texts = [turn["content"] for row in rows for turn in row if turn["role"] == "user"]
    for place in long:
        more = " ".join(rng.choices(texts, k=2 * MAX_LENGTH // 5))
        rows[place] = [{**t, "content": f"{t['content']} {more}"} if t["role"] == "user" else t for t in rows[place]]
    return replace(planting, rows=tuple(rows), named=frozenset(place + 1 for place in long))


KINDS = {
    kind.name: kind
    for kind in (
        TemplateKind("template, earlier turns rewritten", "data.template.prefix", "block", _rewritten),
        TemplateKind("template, asks in other words", "data.template.generation", "block", _asked_otherwise),
        TemplateKind("template, refuses rows", "data.template.refused", "block", _refusing),
        TemplateKind("template, answers without an end", "data.template.mask", "block", _endless),
        TemplateKind("template or tokenizer, changes texts", "data.template.roundtrip", "block", _changing),
        TemplateKind("template, a system prompt of its own", "data.template.system", "warn", _with_system),
        TemplateKind("template, trained words not the answer's", "data.template.boundary", "warn", _overlapping),
        TemplateKind("row, longer than the window", "data.length.context", "block", _too_long),
    )
}
CODES = tuple(sorted({kind.code for kind in KINDS.values()}))


@dataclass(frozen=True)
class PlantedTemplate:
    """A planting; `kind` is None where it is sound."""

    name: str
    kind: TemplateKind | None
    planting: Planting


def corpora() -> Iterator[Corpus | str]:
    """Each corpus, or the reason why it cannot be had here."""
    yield support_triage()
    try:
        yield snips()
    except DataAbsentError as absent:
        yield f"skipped: {absent}"


def planted_templates(corpus: Corpus, per_kind: int, seed: int) -> Iterator[PlantedTemplate]:
    """For each kind so many plantings, and as many sound ones."""
    for number in range(per_kind):
        rng = random.Random(f"{seed} {number}")
        yield PlantedTemplate(f"template {number}", None, _sound(rng, corpus))
        for kind in KINDS.values():
            yield PlantedTemplate(f"template {number}", kind, kind.make(rng, _sound(rng, corpus)))


def _sound(rng: random.Random, corpus: Corpus) -> Planting:
    """Rows with a system turn, every third of two questions, under a sound template of some style."""
    drawn = iter(rng.sample(corpus.rows, 2 * FILE_ROWS))
    rows = []
    for number in range(FILE_ROWS):
        row: Turns = [{"role": "system", "content": corpus.system}, *_exchange(next(drawn))]
        rows.append(row + _exchange(next(drawn)) if number % 3 == 0 else row)
    return Planting(Parts(STYLES[rng.choice(sorted(STYLES))]), tuple(rows), frozenset())


def _exchange(example: Example) -> Turns:
    return [{"role": "user", "content": example.prompt}, {"role": "assistant", "content": example.answer}]


class Tokenizers:
    """Byte-level tokenizers trained on a corpus: one that can write every character, and one that knows ASCII alone."""

    def __init__(self, corpus: Corpus) -> None:
        """Train both."""
        # As running text, in which most words have a space before them and share a token with it.
        texts = [corpus.system, *(f"{example.prompt} {example.answer}" for example in corpus.rows)]
        self._files = {knows_all: _trained(texts, knows_all=knows_all) for knows_all in (True, False)}

    def write(self, planting: Planting, folder: Path) -> None:
        """The model folder of a planting."""
        folder.mkdir(parents=True)
        (folder / "tokenizer.json").write_text(self._files[planting.knows_all], encoding="utf-8")
        config = {"eos_token": planting.parts.style.end}
        (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
        (folder / "chat_template.jinja").write_text(planting.parts.source(), encoding="utf-8")


def _trained(texts: Sequence[str], *, knows_all: bool) -> str:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: PLC0415 - for this part alone

    special = sorted({mark for style in STYLES.values() for mark in (style.before, style.end, style.after_role.strip())} - {""})
    special = [mark for mark in special if len(mark) > 2]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    if not knows_all:
        alphabet = [letter for letter in alphabet if letter.isascii()] + ["Ġ", "Ċ"]
        texts = [text for text in texts if text.isascii()]
    tokenizer = Tokenizer(models.BPE() if knows_all else models.BPE(unk_token=_UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1500, special_tokens=[_UNKNOWN, *special], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return str(tokenizer.to_str())
