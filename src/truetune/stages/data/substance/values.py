"""Numbers with their units, dates and times: read so that one value written in two ways is one value.

What can be read in two ways ("1.000", "03/04", "5 o'clock") keeps both readings: two values differ only where no reading of one
agrees with any reading of the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from truetune.stages.data.substance.numerals import CENTURIES, ORDINAL, SMALL, Readings, amount, is_metre, norm, share, spelled
from truetune.stages.data.substance.tokens import Token
from truetune.stages.data.substance.words import FUNCTION_WORDS, PREPOSITIONS

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
        if _SHARE in (self.dimension, other.dimension):
            return {self.dimension, other.dimension} <= {_SHARE, "%"}
        return self.kind == other.kind or self._year_of(other) is not None or other._year_of(self) is not None

    def _year_of(self, date: Value) -> int | None:
        """The year of a date that says nothing else, where this is a bare number."""
        day = date.readings[0] if self.kind == "number" and not self.dimension and date.kind == "date" else None
        return day.year if isinstance(day, Day) and (day.month, day.day, day.weekday) == (None, None, None) else None

    def agrees(self, other: Value) -> bool:
        """May the two mean the same? A number without a unit may have any; an address may be given with more of its path."""
        if self.kind == other.kind == "link":
            a, b = sorted((str(self.readings[0]), str(other.readings[0])), key=len)
            return a == b or b.startswith(f"{a}/")
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

_HEDGES = frozenset("about around roughly approximately approx nearly almost circa some ca".split())  # noqa: SIM905
_RANGE_WORDS = frozenset(("to", "-", "–", "—", "or"))

_HALF_OF_THE_DAY = {"morning": (0, 12), "afternoon": (12, 18), "evening": (16, 24), "night": (18, 30)}
"""The hours that each word may be said of."""
_CLOCK_WITH_A_POINT = re.compile(r"(?:1?[0-9]|2[0-3])\.[0-5][0-9]")
_NAMED_HOURS = ("noon", "midday", "midnight")
_NOON, _MINUTES, _MINUTES_OF_HOUR = 12, 24 * 60, 60
_AFTER_A_MEASURE = frozenset(
    "later earlier sharp ago beforehand afterwards precisely exactly daily tops maximum minimum not".split()  # noqa: SIM905
)
"""Words after a time or a measure that are no thing."""
_BEFORE_A_MEASURE = frozenset(
    "after for to within about around nearly almost than takes take lasts last needs least most until".split()  # noqa: SIM905
)
"""What "a week" follows where it is a time and no rate ("twice a week")."""
_BEFORE_ONE = frozenset("the this that next last previous other another each every which any no".split())  # noqa: SIM905
_TIMES = {"twice": 2.0, "thrice": 3.0}
_OF_WHAT = frozenset("a an per each every as in the that".split())  # noqa: SIM905
"""What follows says how long "twice a year" is, or twice of what."""

_SHARE = "share"
"""Dimension of a part in words ("half of it"), which only a percentage can be compared with."""
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
        return norm(self._tokens, place)

    def _is(self, place: int, *kinds: str) -> bool:
        return 0 <= place < len(self._tokens) and self._tokens[place].kind in kinds

    # --- times ---

    def _time(self, place: int) -> Value | None:
        """`5:30 pm`, `half past nine`, `twenty to six in the evening`, `until nine`."""
        token = self._tokens[place]
        is_written = token.kind == "number" and _CLOCK_WITH_A_POINT.fullmatch(token.norm) and self._is_part_of_a_day(place + 1)
        if token.kind == "clock" or is_written or (token.norm in _NAMED_HOURS and not self._is_noun(place + 1)):
            hours, minute, last = *_clock(token), place
        else:
            spoken = self._past_or_to(place) or self._bare_hour(place)
            if spoken is None:
                return None
            hours, minute, last = spoken
        hours, last = self._in_the(hours, last)
        return Value("time", "time", _points([float(60 * h + minute) % _MINUTES for h in hours]), place, last)

    def _is_noun(self, place: int) -> bool:
        """May what stands there be a thing that the word before it tells more of ("midday meal", "day ticket")?"""
        return self._is(place, "word") and self._norm(place) not in FUNCTION_WORDS | PREPOSITIONS | _AFTER_A_MEASURE

    def _past_or_to(self, place: int) -> tuple[list[int], int, int] | None:
        """`half past nine`, `a quarter to six`, `ten minutes past 5`: hours, minutes and the last token."""
        at = place + 1 if self._norm(place) == "a" and self._norm(place + 1) == "quarter" else place
        minutes, last = {"half": 30, "quarter": 15}.get(self._norm(at)), at
        if minutes is None:
            counted = amount(self._tokens, at)
            number, last = (counted[0][0][0], counted[1]) if counted else (0.0, at)
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
        number = SMALL.get(self._norm(place))
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
        if token.norm in CENTURIES and self._norm(place - 1) in _BEFORE_A_YEAR:
            return self._year_in_words(place)
        if token.kind in ("number", "ordinal") or (token.norm in ORDINAL and self._norm(place + 1) == "of"):
            return self._day_first(place) or self._year(place)
        if token.norm in _MONTH and token.kind == "word":
            return self._month_first(place)
        return None

    def _year_in_words(self, place: int) -> Value | None:
        """`in nineteen twenty-three`."""
        rest = spelled(self._tokens, place + 1)
        if rest is None or not 10 <= rest[0] < 100 or self._norm(rest[1] + 1) in _UNIT:
            return None
        return Value("date", "day", (Day(CENTURIES[self._norm(place)] * 100 + int(rest[0])),), place, rest[1])

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
        is_day = self._is(day_at, "number", "ordinal") or self._norm(day_at) in ORDINAL
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
        return self._rank_or_share(place) or self._measure(place)

    def _rank_or_share(self, place: int) -> Value | None:
        """`the third`, `twenty-first`, `twice`, `half of the fee`: a number and what it is of, without more."""
        token, end = self._tokens[place], place
        ones = ORDINAL.get(self._norm(place + 1), 0)
        part = share(self._tokens, place)
        if token.kind == "ordinal" or self._is_counted_off(place):
            number, dimension = float(ORDINAL.get(token.norm) or re.sub(r"\D", "", token.norm)), "th"
        elif SMALL.get(token.norm, 0) >= 20 and 0 < ones < 10:
            number, dimension, end = float(SMALL[token.norm] + ones), "th", place + 1
        elif token.norm in _TIMES and self._norm(place + 1) not in _OF_WHAT:
            number, dimension = _TIMES[token.norm], "time"
        elif part is not None:
            (number, end), dimension = part, _SHARE
        else:
            return None
        return Value("number", dimension, _points([number]), place, end, _points([number]), (1.0,))

    def _measure(self, place: int) -> Value | None:
        """`5`, `about 20 euros`, `six pounds fifty`, `3 to 5 days`, `for a week`: a number with its unit or what is counted."""
        token = self._tokens[place]
        is_sign = token.kind == "symbol" and token.norm in _CURRENCY_SIGNS
        currency = token.norm if is_sign or token.norm in ("eur", "usd", "gbp") else ""
        at = place + bool(currency)
        counted = amount(self._tokens, at) or self._one_alone(at)
        if counted is None:
            return None
        is_bare_one = token.norm == "one" and counted[1] == place
        if is_bare_one and self._norm(place - 1) in _BEFORE_ONE:
            return None  # "the next one"
        readings, last = self._range(*counted)
        if currency:
            dimension, factors = _UNIT[currency]
        else:
            dimension, factors, last = self._unit(last)
            readings, last = self._with_pence(dimension, readings, last)
            readings, last = self._and_a_half(dimension, readings, last)
        if not dimension and is_bare_one and not self._is_numbered(place):
            return None  # "one of them"
        readings, last = self._with_smaller_unit(dimension, factors, readings, last)
        before = {self._norm(place - 1), self._norm(place - 2)}
        slack = HEDGED_FRAC if before & _HEDGES else 0.0
        plain = tuple(Interval(low * (1 - slack), high * (1 + slack)) for low, high in readings)
        scaled = tuple(Interval(number.low * factor, number.high * factor) for number in plain for factor in factors)
        return Value("number", dimension, scaled, place, last, plain, factors)

    def _with_smaller_unit(
        self, dimension: str, factors: tuple[float, ...], readings: Readings, last: int
    ) -> tuple[Readings, int]:
        """`an hour and twenty minutes`, `2 h 30 min`, `5 feet 3 inches`: in the larger unit."""
        if dimension not in (_S, "length", "mass"):
            return readings, last
        counted = amount(self._tokens, last + 1 + (self._norm(last + 1) == "and"))
        if counted is None:
            return readings, last
        smaller, its_factors, end = self._unit(counted[1])
        if smaller != dimension or its_factors[0] >= factors[0]:
            return readings, last
        ratio = its_factors[0] / factors[0]
        return [(low + a * ratio, high + b * ratio) for low, high in readings for a, b in counted[0]], end

    def _and_a_half(self, dimension: str, readings: Readings, last: int) -> tuple[Readings, int]:
        """`an hour and a half`, `a day or two`."""
        following = [self._norm(last + n) for n in (1, 2, 3)]
        if dimension == _S and following == ["and", "a", "half"]:
            return [(low + 0.5, high + 0.5) for low, high in readings], last + 3
        if dimension == _S and following[:2] == ["or", "two"]:
            return [(low, 2.0) for low, _ in readings], last + 2
        return readings, last

    def _one_alone(self, place: int) -> tuple[Readings, int] | None:
        """`for a week`, `within an hour`; not `twice a day`, `a day ticket`."""
        if self._norm(place) not in ("a", "an") or self._norm(place - 1) not in _BEFORE_A_MEASURE:
            return None
        after = place + 1 + (self._norm(place + 1) in _QUALIFIERS)
        is_time = _UNIT.get(self._norm(after), ("",))[0] == _S
        is_whole = self._norm(after + 1) != "and" or self._norm(after + 2) != "a" or self._norm(after + 3) == "half"
        if not is_time or not is_whole or self._is_noun(after + 1):
            return None  # "a day and a quarter", "a day ticket"
        return [(1.0, 1.0)], place

    def _with_pence(
        self, dimension: str, readings: list[tuple[float, float]], last: int
    ) -> tuple[list[tuple[float, float]], int]:
        """`six pounds fifty`."""
        rest = spelled(self._tokens, last + 1) if dimension in ("EUR", "USD", "GBP") else None
        if rest is None or self._norm(rest[1] + 1) in _UNIT or not 0 < rest[0] < 100:
            return readings, last
        return [(low + rest[0] / 100, high + rest[0] / 100) for low, high in readings], rest[1]

    def _is_numbered(self, place: int) -> bool:
        """Is there a second one ("pump one", "pump two")?"""
        named = self._norm(place - 1)
        return named != "" and any(t.norm == "two" and self._norm(n - 1) == named for n, t in enumerate(self._tokens))

    def _is_counted_off(self, place: int) -> bool:
        """An ordinal in words that is no adverb ("first") and no part of something ("a third of it")."""
        if self._norm(place) not in ORDINAL or self._norm(place) in ("first", "second"):
            return False
        of_the_month = self._norm(place + 1) == "of" and "month" in (self._norm(place + 2), self._norm(place + 3))
        return self._norm(place - 1) not in ("a", "one", "two") and (of_the_month or self._norm(place + 1) != "of")

    def _range(self, readings: list[tuple[float, float]], last: int) -> tuple[list[tuple[float, float]], int]:
        """`3 to 5`, `3-5`: everything between."""
        hyphen = self._is(last + 1, "number") and self._tokens[last + 1].start == self._tokens[last].end + 1
        after = last + 1 if hyphen else last + 2
        joined = hyphen or self._norm(last + 1).strip() in _RANGE_WORDS
        second = amount(self._tokens, after) if joined else None
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
        if self._norm(after) == "m" and is_metre(self._tokens, after):
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


def _day_number(token: Token) -> int | None:
    if token.norm in ORDINAL:
        return ORDINAL[token.norm]
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
