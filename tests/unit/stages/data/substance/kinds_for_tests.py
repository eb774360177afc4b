"""What tests of substance ask for most."""

from __future__ import annotations

from truetune.stages.data.substance import differences


def kinds(question: str, first: str, second: str) -> set[str]:
    """The kinds of what two answers differ in."""
    return {difference.kind for difference in differences(question, first, second)}
