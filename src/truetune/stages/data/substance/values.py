"""Numbers with their units, dates and times: read so that one value written in two ways is one value.

What can be read in two ways ("1.000", "03/04", "5 o'clock") keeps both readings: two values differ only where no reading of one
agrees with any reading of the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from truetune.stages.data.substance.tokens import Token
from truetune.stages.data.substance.words import FUNCTION_WORDS

ValueKind = Literal["number", "date", "time", "code", "link"]

HEDGED_FRAC = 0.1
""""About 50" and "48" agree: a hedged number leaves so much on either side. Source: stated."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A reading of a number: all it may be, both ends included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Day:
    """A reading of a date; what is not said is None. `weekday` counts from Monday, 0."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A value in a text.

    Attributes:
        kind: of value.
        dimension: what may be compared with each other: a unit's family, or the noun that is counted.
        readings: what it may mean.
        plain: of a number, the same without its unit's factor.
        factors: of its unit.
        first: the first token that it is made of.
        last: the last.
    """

    kind: ValueKind
    dimension: str
    readings: tuple[Interval, ...] | tuple[Day, ...] | tuple[str, ...]
    first: int
    last: int
    plain: tuple[Interval, ...] = ()
    factors: tuple[float, ...] = ()

    def is_comparable(self, other: Value) -> bool:
        """Are both of one kind? A bare number may be a year ("1923" where the other says "in 1932")."""
        return self.kind == other.kind or self._year_of(other) is not None or other._year_of(self) is not None

    def _year_of(self, date: Value) -> int | None:
        """The year of a date that says nothing else, where this is a bare number."""
        day = date.readings[0] if self.kind == "number" and not self.dimension and date.kind == "date" else None
        return day.year if isinstance(day, Day) and (day.month, day.day, day.weekday) == (None, None, None) else None

    def agrees(self, other: Value) -> bool:
        """May the two mean the same? A number without a unit may have any."""
        for number, year in ((self, self._year_of(other)), (other, other._year_of(self))):
            if year is not None:
                return any(_agree(reading, Interval(year, year)) for reading in number.plain)
        measured = {self.dimension, other.dimension} <= _MEASURES
        if self.kind == other.kind == "number" and (self.factors == other.factors or not measured):
            return any(_agree(a, b) for a in self.plain for b in other.plain)
        return any(_agree(a, b) for a in self.readings for b in other.readings)


def _agree(a: Interval | Day | str, b: Interval | Day | str) -> bool:
    if isinstance(a, Interval) and isinstance(b, Interval):
        slack = 1e-6 * max(abs(a.high), abs(b.high))
        return a.low <= b.high + slack and b.low <= a.high + slack
    if isinstance(a, Day) and isinstance(b, Day):
        return _days_agree(a, b)
    return a == b


def are_unrelated(a: Value, b: Value) -> bool:
    """Do two dates have nothing that both say, so that neither can confirm the other?"""
    if not (isinstance(a.readings[0], Day) and isinstance(b.readings[0], Day)):
        return False
    x, y = a.readings[0], b.readings[0]
    return all(p is None or q is None for p, q in ((x.year, y.year), (x.month, y.month), (x.day, y.day), (x.weekday, y.weekday)))


def _days_agree(a: Day, b: Day) -> bool:
    """Nothing that both say differs; a weekday and a day of a month say nothing about each other."""
    pairs = ((a.year, b.year), (a.month, b.month), (a.day, b.day), (a.weekday, b.weekday))
    return all(x is None or y is None or x == y for x, y in pairs)


# --- words ------------------------------------------------------------------------------------------------------------

_MONTHS = "january february march april may june july august september october november december".split()  # noqa: SIM905
_MONTH = {name: number for number, full in enumerate(_MONTHS, 1) for name in (full, full[:3])} | {"sept": 9}
_ALSO_A_WORD = frozenset(("may", "march", "mar", "jan", "jun", "dec", "august"))
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()  # noqa: SIM905
_WEEKDAY = {
    name: number
    for number, full in enumerate(_WEEKDAYS)
    for name in (
        full,
        full + "s",
        *({0: ("mon",), 1: ("tue", "tues"), 2: ("wed",), 3: ("thu", "thurs"), 4: ("fri",)}.get(number, ())),
    )
}
_BEFORE_A_DATE = frozenset(
    ("in", "of", "on", "since", "until", "till", "by", "from", "every", "early", "late", "mid", "to", "through")
)
_BEFORE_A_YEAR = frozenset(
    ("in", "since", "until", "till", "by", "from", "of", "year", "to", "after", "before", "around", "circa")
)

_UNITS_OF_TEN = {word: number for number, word in enumerate("zero one two three four five six seven eight nine ten".split())}  # noqa: SIM905
_TEENS = "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()  # noqa: SIM905
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
_SMALL = (
    _UNITS_OF_TEN
    | {word: number for number, word in enumerate(_TEENS, 11)}
    | {word: 10 * number for number, word in enumerate(_TENS, 2)}
)
_ORDINAL_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth twentieth"
)
_ORDINAL = {word: number for number, word in enumerate(_ORDINAL_WORDS.split(), 1)}
_SCALE = {"hundred": 1e2, "thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "billion": 1e9, "bn": 1e9, "dozen": 12.0}
_HEDGES = frozenset("about around roughly approximately approx nearly almost circa some ca".split())  # noqa: SIM905
_RANGE_WORDS = frozenset(("to", "-", "–", "—", "or"))

_HALF_OF_THE_DAY = {"morning": (0, 12), "afternoon": (12, 18), "evening": (16, 24), "night": (18, 30)}
"""The hours that each word may be said of."""
_CLOCK_WITH_A_POINT = re.compile(r"(?:1?[0-9]|2[0-3])\.[0-5][0-9]")
_NOON, _MINUTES, _MINUTES_OF_HOUR = 12, 24 * 60, 60
_TIMES = {"twice": 2.0, "thrice": 3.0}
_OF_WHAT = frozenset("a an per each every as in the that".split())  # noqa: SIM905
"""What follows says how long "twice a year" is, or twice of what."""

_S, _DAY = "duration", 86_400.0
_UNIT_WORDS: tuple[tuple[str, str, tuple[float, ...]], ...] = (
    ("s sec secs second seconds", _S, (1.0,)),
    ("ms millisecond milliseconds", _S, (1e-3,)),
    ("min mins minute minutes", _S, (60.0,)),
    ("h hr hrs hour hours", _S, (3600.0,)),
    ("d day days night nights", _S, (_DAY,)),
    ("week weeks", _S, (7 * _DAY, 5 * _DAY)),
    ("fortnight", _S, (14 * _DAY,)),
    ("month months", _S, (30 * _DAY, 31 * _DAY, 28 * _DAY, 365 / 12 * _DAY)),
    ("year years yr yrs", _S, (365 * _DAY, 366 * _DAY, 360 * _DAY)),
    ("€ eur euro euros", "EUR", (1.0,)),
    ("$ usd us$ dollar dollars buck bucks", "USD", (1.0,)),
    ("£ gbp pound pounds quid", "GBP", (1.0,)),
    ("¥ jpy yen", "JPY", (1.0,)),
    ("cent cents pence", "hundredth", (1.0,)),
    ("% percent pct", "%", (1.0,)),
    ("g gram grams gramme grammes", "mass", (1.0,)),
    ("kg kilo kilos kilogram kilograms", "mass", (1e3,)),
    ("mg milligram milligrams", "mass", (1e-3,)),
    ("t tonne tonnes", "mass", (1e6,)),
    ("lb lbs", "mass", (453.6,)),
    ("oz ounce ounces", "mass", (28.35,)),
    ("mm millimetre millimetres millimeter millimeters", "length", (1e-3,)),
    ("cm centimetre centimetres centimeter centimeters", "length", (1e-2,)),
    ("metre metres meter meters", "length", (1.0,)),
    ("km kilometre kilometres kilometer kilometers", "length", (1e3,)),
    ("inch inches", "length", (0.0254,)),
    ("ft foot feet", "length", (0.3048,)),
    ("mile miles", "length", (1609.0,)),
    ("ml millilitre millilitres milliliter milliliters", "volume", (1.0,)),
    ("cl", "volume", (10.0,)),
    ("l litre litres liter liters", "volume", (1e3,)),
    ("kb kilobyte kilobytes", "data", (1e3, 1024.0)),
    ("mb megabyte megabytes", "data", (1e6, 1024.0**2)),
    ("gb gigabyte gigabytes", "data", (1e9, 1024.0**3)),
    ("tb terabyte terabytes", "data", (1e12, 1024.0**4)),
    ("° degree degrees celsius", "degree", (1.0,)),
    ("w watt watts", "power", (1.0,)),
    ("kw kilowatt kilowatts", "power", (1e3,)),
    ("v volt volts", "voltage", (1.0,)),
    ("hz hertz", "frequency", (1.0,)),
    ("khz", "frequency", (1e3,)),
    ("mhz", "frequency", (1e6,)),
    ("ghz", "frequency", (1e9,)),
)
_UNIT = {word: (dimension, factors) for written, dimension, factors in _UNIT_WORDS for word in written.split()}
_MEASURES = frozenset(dimension for dimension, _ in _UNIT.values()) | {"th", "degreef"}
_CURRENCY_SIGNS = frozenset("€$£¥")
_QUALIFIERS = frozenset("working business calendar full whole more consecutive us canadian".split())  # noqa: SIM905


def values(tokens: Sequence[Token]) -> list[Value]:
    """The values of a text, in order; no token belongs to two of them."""
    return list(_Reader(tokens).read())


class _Reader:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens

    def read(self) -> Iterator[Value]:
        place = 0
        while place < len(self._tokens):
            value = self._value(place)
            if value is not None:
                yield value
            place = value.last + 1 if value else place + 1

    def _value(self, place: int) -> Value | None:
        token = self._tokens[place]
        if token.kind in ("link", "mail"):
            return Value("link", token.kind, (token.norm,), place, place)
        if token.kind == "code":
            return Value("code", "code", _as_code(token.norm), place, place)
        return self._time(place) or self._date(place) or self._number(place)

    def _norm(self, place: int) -> str:
        return self._tokens[place].norm if 0 <= place < len(self._tokens) else ""

    def _is(self, place: int, *kinds: str) -> bool:
        return 0 <= place < len(self._tokens) and self._tokens[place].kind in kinds

    # --- times ---

    def _time(self, place: int) -> Value | None:
        """`5:30 pm`, `half past nine`, `twenty to six in the evening`, `until nine`."""
        token = self._tokens[place]
        is_written = token.kind == "number" and _CLOCK_WITH_A_POINT.fullmatch(token.norm) and self._is_part_of_a_day(place + 1)
        if token.kind == "clock" or is_written or token.norm in ("noon", "midday", "midnight"):
            hours, minute, last = *_clock(token), place
        else:
            spoken = self._past_or_to(place) or self._bare_hour(place)
            if spoken is None:
                return None
            hours, minute, last = spoken
        hours, last = self._in_the(hours, last)
        return Value("time", "time", _points([float(60 * h + minute) % _MINUTES for h in hours]), place, last)

    def _past_or_to(self, place: int) -> tuple[list[int], int, int] | None:
        """`half past nine`, `a quarter to six`, `ten minutes past 5`: hours, minutes and the last token."""
        at = place + 1 if self._norm(place) == "a" and self._norm(place + 1) == "quarter" else place
        minutes, last = {"half": 30, "quarter": 15}.get(self._norm(at)), at
        if minutes is None:
            amount = self._amount(at)
            number, last = (amount[0][0][0], amount[1]) if amount else (0.0, at)
            minutes = int(number) if number < _MINUTES_OF_HOUR else 0  # a number of 400 figures is infinite
        if self._norm(last + 1) in ("minutes", "min"):
            last += 1
        hour = self._hour(last + 2)
        if hour is None or not 0 < minutes < _MINUTES_OF_HOUR or self._norm(last + 1) not in ("past", "to"):
            return None
        is_to = self._norm(last + 1) == "to"
        if is_to and self._norm(at) != "quarter" and not self._is_part_of_a_day(last + 3):
            return None  # "five to six" may be a range
        return _either_half(hour), -minutes if is_to else minutes, last + 2

    def _bare_hour(self, place: int) -> tuple[list[int], int, int] | None:
        """`nine in the morning`, `until nine`."""
        hour = self._hour(place)
        if hour is None:
            return None
        is_alone = self._norm(place - 1) in ("at", "until", "till", "by") and (
            place + 1 == len(self._tokens) or self._is(place + 1, "end", "break") or self._norm(place + 1) == "sharp"
        )
        return (_either_half(hour), 0, place) if is_alone or self._is_part_of_a_day(place + 1) else None

    def _hour(self, place: int) -> int | None:
        number = _SMALL.get(self._norm(place))
        if number is None and self._is(place, "number") and re.fullmatch(r"[0-9]{1,2}", self._norm(place)):
            number = int(self._norm(place))
        return number if number is not None and 1 <= number <= 12 else None

    def _is_part_of_a_day(self, place: int) -> bool:
        return self._part_of_a_day(place)[0] != ""

    def _part_of_a_day(self, place: int) -> tuple[str, int]:
        """The word that says which half of the day it is, and where it stands; empty where there is none."""
        if self._norm(place) == "o'clock" or self._norm(place) == "sharp":
            place += 1
        if self._norm(place) == "at" and self._norm(place + 1) == "night":
            return "night", place + 1
        if self._norm(place) == "in" and self._norm(place + 1) == "the" and self._norm(place + 2) in _HALF_OF_THE_DAY:
            return self._norm(place + 2), place + 2
        return "", place

    def _in_the(self, hours: list[int], last: int) -> tuple[list[int], int]:
        """Of the readings those in the half of the day that follows in words."""
        part, end = self._part_of_a_day(last + 1)
        if not part:
            return hours, last
        low, high = _HALF_OF_THE_DAY[part]
        meant = [h for h in hours if low <= h <= high or low <= h + 24 <= high]
        return meant or hours, end

    # --- dates ---

    def _date(self, place: int) -> Value | None:
        token = self._tokens[place]
        if token.kind == "date":
            days = _written_days(token.norm)
            return Value("date", "day", days, place, place) if days else None
        if token.norm in _WEEKDAY and token.kind == "word":
            return Value("date", "weekday", (Day(weekday=_WEEKDAY[token.norm]),), place, place)
        if token.kind in ("number", "ordinal") or (token.norm in _ORDINAL and self._norm(place + 1) == "of"):
            return self._day_first(place) or self._year(place)
        if token.norm in _MONTH and token.kind == "word":
            return self._month_first(place)
        return None

    def _day_first(self, place: int) -> Value | None:
        """`3 May`, `3rd of May 2021`."""
        month_at = place + 2 if self._norm(place + 1) == "of" else place + 1
        month = _MONTH.get(self._norm(month_at))
        number = _day_number(self._tokens[place])
        if month is None or number is None or not self._tokens[month_at].written[0].isupper():
            return None
        year_at = month_at + 2 if self._is(month_at + 1, "break") else month_at + 1
        year = self._year_number(year_at)
        return Value("date", "day", (Day(year, month, number),), place, year_at if year else month_at)

    def _month_first(self, place: int) -> Value | None:
        """`May 3rd, 2021`, `May the 3rd`, `May 2021`, `in May`."""
        token = self._tokens[place]
        if not token.written[0].isupper():
            return None
        month = _MONTH[token.norm]
        day_at = place + 2 if self._norm(place + 1) == "the" else place + 1
        is_day = self._is(day_at, "number", "ordinal") or self._norm(day_at) in _ORDINAL
        number = _day_number(self._tokens[day_at]) if is_day else None
        if number is not None:
            year_at = day_at + 2 if self._is(day_at + 1, "break") else day_at + 1
            year = self._year_number(year_at)
            return Value("date", "day", (Day(year, month, number),), place, year_at if year else day_at)
        year_at = place + 2 if self._norm(place + 1) == "of" else place + 1
        year = self._year_number(year_at)
        is_alone = place == 0 and (len(self._tokens) == 1 or self._is(1, "end", "break"))
        if year is None and token.norm in _ALSO_A_WORD and self._norm(place - 1) not in _BEFORE_A_DATE and not is_alone:
            return None
        return Value("date", "day", (Day(year, month),), place, year_at if year else place)

    def _year(self, place: int) -> Value | None:
        year = self._year_number(place, after_a_month=False)
        if year is None or self._norm(place - 1) not in _BEFORE_A_YEAR or self._norm(place + 1) in _UNIT:
            return None
        return Value("date", "day", (Day(year),), place, place)

    def _year_number(self, place: int, *, after_a_month: bool = True) -> int | None:
        form = r"[1-9][0-9]{3}" if after_a_month else r"1[0-9]{3}|2[01][0-9]{2}"
        is_year = self._is(place, "number") and re.fullmatch(form, self._norm(place))
        return int(self._norm(place)) if is_year else None

    # --- numbers ---

    def _number(self, place: int) -> Value | None:
        token = self._tokens[place]
        if token.kind == "ordinal" or self._is_counted_off(place):
            number = _points([float(_ORDINAL.get(token.norm) or re.sub(r"\D", "", token.norm))])
            return Value("number", "th", number, place, place, number)
        if _SMALL.get(token.norm, 0) >= 20 and 0 < _ORDINAL.get(self._norm(place + 1), 0) < 10:
            number = _points([float(_SMALL[token.norm] + _ORDINAL[self._norm(place + 1)])])
            return Value("number", "th", number, place, place + 1, number)
        if token.norm in _TIMES and self._norm(place + 1) not in _OF_WHAT:
            number = _points([_TIMES[token.norm]])
            return Value("number", "time", number, place, place, number, (1.0,))
        currency = token.norm if token.kind == "symbol" and token.norm in _CURRENCY_SIGNS else ""
        amount = self._amount(place + 1 if currency or token.norm in ("eur", "usd", "gbp") else place)
        if amount is None:
            return None
        readings, last = amount
        if token.norm in ("eur", "usd", "gbp"):
            currency = token.norm
        readings, last = self._range(readings, last)
        if currency:
            dimension, factors = _UNIT[currency]
        else:
            dimension, factors, last = self._unit(last)
            readings, last = self._with_pence(dimension, readings, last)
        is_bare_one = self._tokens[place].norm == "one" and last == place
        if not dimension and is_bare_one and not self._is_numbered(place):
            return None  # "one of them", "the one"
        before = {self._norm(place - 1), self._norm(place - 2)}
        slack = HEDGED_FRAC if before & _HEDGES else 0.0
        scaled = tuple(
            Interval(low * factor * (1 - slack), high * factor * (1 + slack)) for low, high in readings for factor in factors
        )
        plain = tuple(Interval(low * (1 - slack), high * (1 + slack)) for low, high in readings)
        return Value("number", dimension, scaled, place, last, plain, factors)

    def _with_pence(
        self, dimension: str, readings: list[tuple[float, float]], last: int
    ) -> tuple[list[tuple[float, float]], int]:
        """`six pounds fifty`."""
        rest = self._spelled(last + 1) if dimension in ("EUR", "USD", "GBP") else None
        if rest is None or self._norm(rest[1] + 1) in _UNIT or not 0 < rest[0] < 100:
            return readings, last
        return [(low + rest[0] / 100, high + rest[0] / 100) for low, high in readings], rest[1]

    def _is_numbered(self, place: int) -> bool:
        """Is there a second one ("pump one", "pump two")?"""
        named = self._norm(place - 1)
        return named != "" and any(t.norm == "two" and self._norm(n - 1) == named for n, t in enumerate(self._tokens))

    def _is_counted_off(self, place: int) -> bool:
        """An ordinal in words that is no adverb ("first") and no part of something ("a third of it")."""
        if self._norm(place) not in _ORDINAL or self._norm(place) in ("first", "second"):
            return False
        of_the_month = self._norm(place + 1) == "of" and "month" in (self._norm(place + 2), self._norm(place + 3))
        return self._norm(place - 1) not in ("a", "one", "two") and (of_the_month or self._norm(place + 1) != "of")

    def _amount(self, place: int) -> tuple[list[tuple[float, float]], int] | None:
        """The readings of a number in figures or words, and its last token."""
        if self._is(place, "number"):
            found = [(n, n) for n in _figures(self._norm(place))]
            last = place
        else:
            spelled = self._spelled(place)
            if spelled is None:
                return None
            found, last = [(spelled[0], spelled[0])], spelled[1]
        if [self._norm(last + n) for n in (1, 2, 3)] == ["and", "a", "half"]:
            found, last = [(low + 0.5, high + 0.5) for low, high in found], last + 3
        while self._norm(last + 1) in _SCALE and (self._is(last + 1, "word") and not self._is_metre(last + 1)):
            scale = _SCALE[self._norm(last + 1)]
            found, last = [(low * scale, high * scale) for low, high in found], last + 1
            rest, end = self._below(scale, last + 1)
            found, last = [(low + rest, high + rest) for low, high in found], max(last, end)
        return found, last

    def _below(self, scale: float, place: int) -> tuple[float, int]:
        """What follows "one hundred" in words ("and fifty"), and its last token; 0 where nothing does."""
        place += self._norm(place) == "and"
        spelled = self._spelled(place) if scale in (1e2, 1e3, 1e6) else None
        if spelled is None or not 1 <= spelled[0] < scale:
            return 0.0, 0
        number, last = spelled
        if scale > 1e2 and self._norm(last + 1) == "hundred":
            rest, end = self._below(1e2, last + 2)
            return number * 1e2 + rest, max(last + 1, end)
        return number, last

    def _is_metre(self, place: int) -> bool:
        """A small `m` with space before it is a metre, one with none ("5m users") a million."""
        return self._norm(place) == "m" and self._tokens[place].start != self._tokens[place - 1].end

    def _spelled(self, place: int) -> tuple[float, int] | None:
        number = _SMALL.get(self._norm(place))
        if number is None:
            if self._norm(place) == "dozen" or (self._norm(place) == "a" and self._norm(place + 1) == "dozen"):
                return 12.0, place + (self._norm(place) == "a")
            if self._norm(place) == "a" and self._norm(place + 1) in ("hundred", "thousand", "million"):
                return 1.0, place
            if self._norm(place) == "half" and self._norm(place + 1) in ("a", "an"):
                return 0.5, place + 1
            return None
        unit = _UNITS_OF_TEN.get(self._norm(place + 1), 0)
        if number >= 20 and 0 < unit < 10:
            return float(number + unit), place + 1
        return float(number), place

    def _range(self, readings: list[tuple[float, float]], last: int) -> tuple[list[tuple[float, float]], int]:
        """`3 to 5`, `3-5`: everything between."""
        hyphen = self._is(last + 1, "number") and self._tokens[last + 1].start == self._tokens[last].end + 1
        after = last + 1 if hyphen else last + 2
        joined = hyphen or self._norm(last + 1).strip() in _RANGE_WORDS
        second = self._amount(after) if joined else None
        if second is None or self._norm(second[1] + 1) in _MONTH:
            return readings, last
        return [(a[0], b[1]) for a in readings for b in second[0] if a[0] < b[1]] or readings, second[1]

    def _unit(self, last: int) -> tuple[str, tuple[float, ...], int]:
        """What is counted: a unit with its factors to the family's base, or the noun; and the last token that says so."""
        after = last + 1
        while self._is(after, "word") and self._norm(after) in _QUALIFIERS:
            after += 1
        if self._norm(after) == "per" and self._norm(after + 1) == "cent":
            return "%", (1.0,), after + 1
        if self._is(after, "word", "symbol") and self._norm(after) in _UNIT:
            dimension, factors = _UNIT[self._norm(after)]
            if dimension == "degree" and self._norm(after + 1) in ("c", "celsius", "f", "fahrenheit"):
                return dimension + self._norm(after + 1)[0].replace("c", ""), factors, after + 1
            if any(self._norm(place) in ("working", "business") for place in range(last + 1, after)):
                factors = (*factors, *(factor * 7 / 5 for factor in factors))
            return dimension, factors, after
        if self._norm(after) == "m" and self._is_metre(after):
            return "length", (1.0,), after
        if self._is(after, "word") and self._norm(after) not in FUNCTION_WORDS:
            return self._norm(after).rstrip("s"), (1.0,), last
        return "", (1.0,), last


def _as_code(written: str) -> tuple[str, ...]:
    """A code without its marks; of an option ("--quiet") the first letter too, which may be its short form ("-q")."""
    bare = re.sub(r"[-_/]", "", written)
    return (bare, bare[0]) if written[0] == "-" else (bare,)


def _points(numbers: Sequence[float]) -> tuple[Interval, ...]:
    return tuple(Interval(n, n) for n in numbers)


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


def _day_number(token: Token) -> int | None:
    if token.norm in _ORDINAL:
        return _ORDINAL[token.norm]
    match = re.fullmatch(r"([12]?\d|3[01])(?:st|nd|rd|th)?", token.norm)
    return int(match[1]) if match and int(match[1]) else None


def _written_days(written: str) -> tuple[Day, ...]:
    """The readings of a date in figures: year first, or day and month in either order."""
    a, b, *rest = (int(part) for part in re.split(r"[-./]", written))
    if a > 31:
        return (Day(a, b, rest[0]),)
    year = None if not rest else rest[0] if rest[0] > 99 else 2000 + rest[0] if rest[0] < 70 else 1900 + rest[0]
    either = [(day, month) for day, month in ((a, b), (b, a)) if 1 <= month <= 12 and 1 <= day <= 31]
    return tuple(Day(year, month, day) for day, month in either)


def _clock(token: Token) -> tuple[list[int], int]:
    """The hours that a written time may mean, and its minutes."""
    named = {"noon": (12, 0), "midday": (12, 0), "midnight": (0, 0)}.get(token.norm)
    figures = [int(part) for part in re.findall(r"\d+", token.norm)]
    hour, minute = named or (figures[0], figures[1] if len(figures) > 1 else 0)
    half = re.search(r"[ap]", token.norm.replace("o'clock", "").replace("o’clock", "")) if named is None else None
    if half:
        return [hour % 12 + (12 if half.group() == "p" else 0)], minute
    is_sure = named or hour > _NOON or hour == 0 or token.norm.startswith("0")
    return [hour] if is_sure else _either_half(hour), minute


def _either_half(hour: int) -> list[int]:
    return [hour, (hour + _NOON) % (2 * _NOON)]
