"""A text as statements: sentences of items, each a word, a name or a value, with what is negated in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from truetune.stages.data.substance.kinds import is_kind_of
from truetune.stages.data.substance.tokens import Token, tokens
from truetune.stages.data.substance.values import Value, values
from truetune.stages.data.substance.words import (
    FIRST_WORDS,
    FUNCTION_WORDS,
    NEGATIONS,
    NO,
    PREPOSITIONS,
    YES,
    stem,
    without_prefix,
)

_TITLE_CASE_FRAC = 0.8
"""Where so many words in the middle of sentences are capitalised (headlines) a capital makes no name. Source: stated."""

_GERMAN = frozenset("der die das und ist nicht ein eine mit von wir sie ich den dem".split())  # noqa: SIM905
"""With two of these in a text every noun has a capital."""

_SCOPE_WORDS = 3
"""A negation reaches so many words with content, and never past its clause. Source: stated."""

_IDIOMS = (
    ("not", "only"), ("not", "just"), ("not", "yet"), ("no", "problem"), ("no", "worries"), ("not", "hesitate"),
    ("not", "worry"), ("no", "longer", "than"), ("no", "more", "than"), ("no", "later", "than"), ("or", "not"), ("if", "not"),
    ("not", "wait"), ("not", "help", "but"), ("not", "to", "mention"), ("not", "least"), ("no", "further"), ("no", "matter"),
    ("no", "doubt"), ("no", "wonder"), ("nowhere", "in"), ("nothing", "like"), ("nothing", "but"), ("not", "go", "wrong"),
    ("never", "fail"), ("never", "fails"), ("never", "been"),
)  # fmt: skip
"""Negations that turn nothing round."""


_LITTLE = PREPOSITIONS - frozenset(("before", "after", "under", "over"))


@dataclass(frozen=True, slots=True)
class Item:
    """A word, a name or a value.

    Attributes:
        norm: as it is compared; two values written differently may differ here and still agree.
        stem: of a word; of anything else its `norm`.
        start: where it begins in the text.
        end: where it ends.
        clause: counts up at commas, brackets and the like.
        value: where it is one.
        is_name: is it a proper name?
        may_be_name: does nothing but the many capitals around it speak against its being one?
    """

    norm: str
    stem: str
    start: int
    end: int
    clause: int
    value: Value | None = None
    is_name: bool = False
    may_be_name: bool = False

    @property
    def span(self) -> tuple[int, int]:
        """Where it begins and ends in the text."""
        return self.start, self.end

    @property
    def has_content(self) -> bool:
        """Does it say something by itself?"""
        return self.value is not None or not (self.norm in FUNCTION_WORDS or self.norm in NEGATIONS or self.norm in _LITTLE)


@dataclass(frozen=True)
class Statement:
    """A sentence, or several taken together."""

    items: tuple[Item, ...]

    @cached_property
    def content(self) -> frozenset[str]:
        """Stems of the words that say something; "unavailable" is "available" here, its negation stands in `negated`."""
        return frozenset(_positive(i.stem, i.norm) for i in self.items if i.has_content and i.value is None)

    @cached_property
    def values(self) -> tuple[Item, ...]:
        """The items that are values."""
        return tuple(i for i in self.items if i.value is not None)

    @cached_property
    def names(self) -> tuple[Item, ...]:
        """The items that are names."""
        return tuple(i for i in self.items if i.is_name)

    @cached_property
    def negated(self) -> dict[str, Item]:
        """The stems that are negated, each with the item that does it."""
        found: dict[str, Item] = {}
        for place, item in enumerate(self.items):
            if item.norm in NEGATIONS and not item.is_name and not _turns_nothing(self.items, place):
                for word in self._scope(place):
                    found.setdefault(_positive(word.stem, word.norm), item)
            elif is_negated_by_prefix(item):
                found.setdefault(_positive(item.stem, item.norm), item)
        return found

    def _scope(self, place: int) -> list[Item]:
        clause = self.items[place].clause
        after = [
            i
            for i in self.items[place + 1 :]
            if i.clause == clause and i.has_content and i.value is None and i.norm not in PREPOSITIONS
        ]
        following = self.items[place + 1 : place + 2]
        return [*(i for i in following if i.norm in ("before", "after")), *after][:_SCOPE_WORDS]


def _turns_nothing(items: Sequence[Item], place: int) -> bool:
    return _is_idiom(items, place) or compared(items, place) > 0


def _is_idiom(items: Sequence[Item], place: int) -> bool:
    return any(
        tuple(i.norm for i in items[place - at : place - at + len(idiom)]) == idiom
        for idiom in _IDIOMS
        for at, word in enumerate(idiom)
        if word in NEGATIONS and place >= at
    )


_NEARLY = frozenset("quite nearly half just anywhere near".split())  # noqa: SIM905


def compared(items: Sequence[Item], place: int) -> int:
    """Where the adjective of "not as deep as" stands if that begins here, which says "less deep than"; otherwise 0."""
    if items[place].norm != "not":
        return 0
    at = place + 1
    while at < len(items) and items[at].norm in _NEARLY:
        at += 1
    norms = [i.norm for i in items[at : at + 4]]
    return at + 1 if norms[:1] in (["as"], ["so"]) and "as" in norms[2:] else 0


def is_negated_by_prefix(item: Item) -> bool:
    """Is the word the negation of one that is as common ("unavailable")?"""
    return item.value is None and _positive(item.stem, item.norm) != item.stem


def denied_word(item: Item) -> str:
    """The stem of "justified" for "unjustified", "member" for "non-member"; it tells something only where that stands as well."""
    rest = item.norm.removeprefix("non-" if item.norm.startswith("non-") else "un")
    return stem(rest) if item.value is None and rest != item.norm and len(rest) >= _DENIED_LETTERS else ""


_DENIED_LETTERS = 5
"""In shorter words the beginning is mostly no prefix ("under", "unless", "unite")."""


def _positive(stemmed: str, word: str) -> str:
    """The stem without what negates, for the words whose positive is as common ("impossible", "unavailable", "sugar-free")."""
    if word.endswith("-free"):
        return stem(word.removesuffix("-free"))
    rest = without_prefix(word)
    return stem(rest) if rest in _POSITIVES else stemmed


_POSITIVES = frozenset(
    "possible available able valid correct complete legal safe healthy necessary limited known visible reversible active "  # noqa: SIM905
    "allowed approved certain common comfortable compatible connected covered damaged dependent eligible enabled equal "
    "expected fair familiar finished formal frequent happy harmed important included likely lucky married opened paid patient "
    "perfect permitted pleasant popular prepared published refundable regular related reliable registered restricted "
    "responsible secure signed stable successful sufficient suitable supported sure tested told used usual wanted willing wise "
    "agree appear approve connect continue like honest similar".split()
)


@dataclass(frozen=True)
class Reading:
    """A text as its statements."""

    text: str
    statements: tuple[Statement, ...]
    whole: Statement = field(repr=False)

    @property
    def words(self) -> int:
        """How many items it has."""
        return len(self.whole.items)


def read(text: str, names_at_start: bool = False, seen_small: frozenset[str] = frozenset()) -> Reading:
    """Read a text.

    Args:
        text: any text.
        names_at_start: may the first word of a sentence be a name although nothing but its capital says so?
        seen_small: words that stand somewhere without a capital, and so are no names.
    """
    found = tokens(text)
    by_first = {value.first: value for value in values(found)}
    capitals = _capitals(found, names_at_start, seen_small)
    sentences = [Statement(tuple(s)) for s in _sentences(found, by_first, capitals) if s]
    return Reading(text, tuple(sentences), Statement(tuple(item for s in sentences for item in s.items)))


def small_words(*texts: str) -> frozenset[str]:
    """The words that stand without a capital in any of the texts."""
    return frozenset(t.norm for text in texts for t in tokens(text) if t.kind == "word" and t.written[0].islower())


def _sentences(found: Sequence[Token], by_first: dict[int, Value], capitals: _Capitals) -> Iterator[list[Item]]:
    sentence: list[Item] = []
    clause = place = 0
    while place < len(found):
        token = found[place]
        value = by_first.get(place)
        if value is not None:
            end = found[value.last].end
            norm = _value_key(value)
            sentence.append(Item(norm, norm, token.start, end, clause, value))
            place = value.last + 1
            continue
        if _is_non_person(found, place):
            end, who = found[place + 1].end, found[place + 1].norm
            sentence.append(Item(f"non-{who}", f"non-{stem(who)}", token.start, end, clause))
            place += 2
            continue
        if place == 0 and token.norm in YES | NO and (len(found) == 1 or found[1].kind in ("break", "end")):
            pass  # a yes or no in front is compared by itself
        elif token.kind == "end":
            yield sentence
            sentence = []
            clause += 1
        elif token.kind == "break":
            clause += 1
        else:
            clause += token.norm in ("but", "because", "although", "while", "if", "unless")
            word = stem(token.norm) if token.kind == "word" else token.norm
            sentence.append(
                Item(token.norm, word, token.start, token.end, clause, None, place in capitals.names, place in capitals.maybe)
            )
        place += 1
    yield sentence


def _is_non_person(found: Sequence[Token], place: int) -> bool:
    """Does "non-members" stand here? It says whom a statement is about and negates nothing in it."""
    if found[place].norm != "non" or place + 1 == len(found) or found[place + 1].kind != "word":
        return False
    return found[place + 1].start == found[place].end + 1 and is_kind_of(found[place + 1].norm, "person")


def _value_key(value: Value) -> str:
    return f"{value.kind}:{value.dimension}:{value.readings[0]}"


@dataclass(frozen=True)
class _Capitals:
    """Tokens with a capital that may be names, and those that surely are."""

    maybe: frozenset[int] = frozenset()
    names: frozenset[int] = frozenset()


_NEVER_NAMES = FUNCTION_WORDS | {f"{who}{what}" for who in ("every", "some", "any") for what in ("one", "body", "thing")}


_BEHIND_A_VERB = frozenset("a an the your my our their his her its it them this that these those".split())  # noqa: SIM905


def _is_label_or_verb(found: Sequence[Token], place: int) -> bool:
    """Does a colon follow ("Place: the shop"), or what a name is not followed by ("Raise the lid")?"""
    following = found[place + 1] if place + 1 < len(found) else None
    return following is not None and (following.written == ":" or following.norm in _BEHIND_A_VERB)


def _capitals(found: Sequence[Token], names_at_start: bool, seen_small: frozenset[str]) -> _Capitals:
    """Names are capitals in the middle of a sentence, and the same words at its start."""
    if len(_GERMAN & {t.norm for t in found}) >= 2:
        return _Capitals()
    starts = {i for i in range(len(found)) if i == 0 or found[i - 1].kind == "end"}
    capital = [t.kind == "word" and t.written[0].isupper() and t.norm not in _NEVER_NAMES for t in found]
    capital = [is_one and not (i in starts and _is_label_or_verb(found, i)) for i, is_one in enumerate(capital)]
    sure = {i for i in range(len(found)) if capital[i] and i not in starts and found[i].norm not in seen_small}
    middle = [i for i, t in enumerate(found) if i not in starts and t.kind == "word" and len(t.written) >= 4]
    if len(middle) >= 4 and sum(capital[i] for i in middle) > _TITLE_CASE_FRAC * len(middle):
        return _Capitals(maybe=frozenset(sure))
    known = {found[i].norm for i in sure}
    for i in starts:
        word = found[i]
        if not capital[i] or word.norm in seen_small or word.norm in YES | NO | NEGATIONS:
            continue
        may_be = names_at_start and word.norm not in FIRST_WORDS
        if word.norm in known or may_be or (word.written.isupper() and len(word.written) > 1):
            sure.add(i)
    return _Capitals(frozenset(sure), frozenset(sure))
