"""The licence as a model's own card or licence file states it; nothing is guessed."""

from __future__ import annotations

import re
from pathlib import Path

_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_NOT_A_LICENCE = {"other", "unknown"}
_TEXTS = (
    ("Apache-2.0", ("Apache License", "Version 2.0")),
    ("MIT", ("Permission is hereby granted, free of charge",)),
    ("BSD-3-Clause", ("Redistribution and use in source and binary forms", "Neither the name")),
    ("BSD-2-Clause", ("Redistribution and use in source and binary forms",)),
)
"""Sentences that stand in each licence's own text. Source: the SPDX licence list."""


def read_licence(folder: Path) -> tuple[str | None, str]:
    """The licence and where it was read; None where neither card nor licence file states one.

    The card's `license` wins; where it says `other`, its `license_name` does.
    """
    stated = _from_card(folder / "README.md")
    if stated:
        return stated, "README.md"
    for path in sorted(folder.glob("LICENSE*")):
        return _from_text(path.read_text(encoding="utf-8", errors="replace")), path.name
    return None, "the model has neither a card that states a licence nor a LICENSE file"


def _from_card(path: Path) -> str | None:
    if not path.is_file():
        return None
    match = _FRONT_MATTER.match(path.read_text(encoding="utf-8", errors="replace"))
    fields = _fields(match.group(1)) if match else {}
    licence = fields.get("license")
    if isinstance(licence, list):
        licence = " OR ".join(str(one) for one in licence)
    if licence is None or str(licence).lower() in _NOT_A_LICENCE:
        licence = fields.get("license_name")
    return str(licence) if licence else None


def _fields(front_matter: str) -> dict[str, object]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        value = YAML(typ="safe", pure=True).load(front_matter)
    except YAMLError:
        return {}
    return value if isinstance(value, dict) else {}


def _from_text(text: str) -> str | None:
    flat = " ".join(text.split())
    for spdx, sentences in _TEXTS:
        if all(sentence in flat for sentence in sentences):
            return spdx
    return next((line.strip()[:80] for line in text.splitlines() if line.strip()), None)
