"""Numbers in figures and in words: "1,000", "forty-two", "one hundred and fifty", "three quarters of", "a fifth of"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from truetune.stages.data.substance.tokens import Token

_UNITS_OF_TEN = {word: number for number, word in enumerate("zero one two three four five six seven eight nine ten".split())}  # noqa: SIM905
_TEENS = "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()  # noqa: SIM905
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
SMALL = (
    _UNITS_OF_TEN
    | {word: number for number, word in enumerate(_TEENS, 11)}
    | {word: 10 * number for number, word in enumerate(_TENS, 2)}
)
CENTURIES = {word: number for number, word in enumerate(_TEENS, 11) if number > 12} | {"twenty": 20}
_ORDINAL_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth twentieth"
)
ORDINAL = {word: number for number, word in enumerate(_ORDINAL_WORDS.split(), 1)}
SCALE = {"hundred": 1e2, "thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "billion": 1e9, "bn": 1e9, "dozen": 12.0}


Readings = list[tuple[float, float]]
"""What a number may be: the least and the most of each reading."""

_QUARTERS = ("quarter", "quarters")
_A = ("a", "an")
_PARTS = {word: 100 / number for word, number in ORDINAL.items() if number > 2} | {"quarter": 25.0}
"""Of "a third", "two fifths" the one part, in percent."""
_OF_A_WHOLE = frozenset(("of", "off", "the", "what"))
_ANOTHER_HALF = frozenset("first second other one last top bottom next each either past".split())  # noqa: SIM905
"""Before "half" these make it one of two halves."""


def norm(tokens: Sequence[Token], place: int) -> str:
    """The token there as it is compared; empty beyond the ends."""
    return tokens[place].norm if 0 <= place < len(tokens) else ""


def amount(tokens: Sequence[Token], place: int) -> tuple[Readings, int] | None:
    """The readings of a number in figures or words, and its last token."""
    number = _in_figures(tokens, place) or _part_of_one(tokens, place) or _in_words(tokens, place)
    if number is None:
        return None
    found, last = number
    if [norm(tokens, last + n) for n in (1, 2, 3)] == ["and", "a", "half"]:
        found, last = [(low + 0.5, high + 0.5) for low, high in found], last + 3
    while norm(tokens, last + 1) in SCALE and tokens[last + 1].kind == "word" and not is_metre(tokens, last + 1):
        scale = SCALE[norm(tokens, last + 1)]
        rest, end = _below(tokens, scale, last + 2)
        found, last = [(low * scale + rest, high * scale + rest) for low, high in found], max(last + 1, end)
    return found, last


def share(tokens: Sequence[Token], place: int) -> tuple[float, int] | None:
    """A share in words as percent, and its last token: "half of the fee", "two thirds of", "a fifth off"."""
    if norm(tokens, place) == "half":
        is_share = norm(tokens, place + 1) in _OF_A_WHOLE and norm(tokens, place - 1) not in _ANOTHER_HALF
        return (50.0, place) if is_share else None
    counted = 1.0 if norm(tokens, place) in _A else float(SMALL.get(norm(tokens, place), 0))
    part = _PARTS.get(norm(tokens, place + 1).rstrip("s"), 0.0)
    is_share = 0 < counted * part <= 100 and norm(tokens, place + 2) in ("of", "off") and norm(tokens, place + 3) not in _A
    return (counted * part, place + 1) if is_share else None


def spelled(tokens: Sequence[Token], place: int) -> tuple[float, int] | None:
    """A number below a hundred, a dozen or a half in words, and its last token."""
    here, following = norm(tokens, place), norm(tokens, place + 1)
    if here in SMALL:
        unit = _UNITS_OF_TEN.get(following, 0)
        return (float(SMALL[here] + unit), place + 1) if SMALL[here] >= 20 and 0 < unit < 10 else (float(SMALL[here]), place)
    if here == "dozen":
        return 12.0, place
    if here == "a" and following == "dozen":
        return 12.0, place + 1
    if here == "a" and following in ("hundred", "thousand", "million"):
        return 1.0, place
    return (0.5, place + 1) if here == "half" and following in _A else None


def is_metre(tokens: Sequence[Token], place: int) -> bool:
    """A small `m` with space before it is a metre, one with none ("5m users") a million."""
    return norm(tokens, place) == "m" and tokens[place].start != tokens[place - 1].end


def _in_figures(tokens: Sequence[Token], place: int) -> tuple[Readings, int] | None:
    if 0 <= place < len(tokens) and tokens[place].kind == "number":
        return [(n, n) for n in _figures(tokens[place].norm)], place
    return None


def _in_words(tokens: Sequence[Token], place: int) -> tuple[Readings, int] | None:
    if [norm(tokens, place + n) for n in (0, 1, 2)] == ["a", "couple", "of"]:
        return [(2.0, 3.0)], place + 2
    number = spelled(tokens, place)
    return ([(number[0], number[0])], number[1]) if number is not None else None


def _part_of_one(tokens: Sequence[Token], place: int) -> tuple[Readings, int] | None:
    """`three quarters of an hour`, `a quarter of a mile`."""
    counted = 1.0 if norm(tokens, place) == "a" else float(SMALL.get(norm(tokens, place), 0))
    if not counted or norm(tokens, place + 1) not in _QUARTERS:
        return None
    if norm(tokens, place + 2) != "of" or norm(tokens, place + 3) not in _A:
        return None
    return [(counted / 4, counted / 4)], place + 3


def _below(tokens: Sequence[Token], scale: float, place: int) -> tuple[float, int]:
    """What follows "one hundred" in words ("and fifty"), and its last token; 0 where nothing does."""
    place += norm(tokens, place) == "and"
    number = spelled(tokens, place) if scale in (1e2, 1e3, 1e6) else None
    if number is None or not 1 <= number[0] < scale:
        return 0.0, 0
    counted, last = number
    if scale > 1e2 and norm(tokens, last + 1) == "hundred":
        rest, end = _below(tokens, 1e2, last + 2)
        return counted * 1e2 + rest, max(last + 1, end)
    return counted, last


def _figures(written: str) -> list[float]:
    """The readings of figures: a single group of three after a mark may be thousands or decimals."""
    bare = re.sub(r"['’\u00a0\u202f ]", "", written)
    marks = re.findall(r"[.,]", bare)
    if not marks:
        return [float(bare)]
    tail = len(bare) - max(bare.rfind("."), bare.rfind(",")) - 1
    decimal = float(f"{re.sub(r'[.,]', '', bare[: -tail - 1]) or '0'}.{bare[-tail:]}")
    whole = float(re.sub(r"[.,]", "", bare))
    if len(set(marks)) == 2:
        return [decimal]
    if len(marks) > 1:
        return [whole]
    return [whole, decimal] if tail == 3 and bare[0] != "0" else [decimal]
