"""The next learning rate to try, as a line of the config."""

from __future__ import annotations

FACTOR = 10
"""How far to move. Source: ours; usual searches go in steps of 3 to 10, and a run with such a fault is far from right."""


def lower_learning_rate(learning_rate: float | None) -> str:
    """What to write in the config for a smaller step."""
    return _line(None if learning_rate is None else learning_rate / FACTOR, "10 times lower")


def higher_learning_rate(learning_rate: float | None) -> str:
    """What to write in the config for a larger step."""
    return _line(None if learning_rate is None else learning_rate * FACTOR, "10 times higher")


def _line(value: float | None, otherwise: str) -> str:
    return f"set train.learning_rate: {value:.1e}" if value else f"set train.learning_rate {otherwise}"
