"""Who does what to whom, what stands in which relation to what, and what goes with what.

No grammar is read. A relation is a word that stands between things: a verb, a preposition, a comparative. What stands before it
and what after it are its two sides; a passive and the converse word ("before", "after") turn the sides round. Two statements
contradict each other where two things have changed sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product, takewhile

from truetune.stages.data.substance.contraries import are_opposites, plain
from truetune.stages.data.substance.reading import Item, Reading, Statement, compared
from truetune.stages.data.substance.words import (
    ARTICLES,
    AUXILIARIES,
    CONVERSES,
    NEGATIONS,
    OWNERS,
    PREPOSITIONS,
    SYMMETRIC_VERBS,
    is_irregular,
    same_as,
    stem,
)

_BE = frozenset("is are was were be been being get gets got".split())  # noqa: SIM905
_NEXT = frozenset("then next afterwards subsequently".split())  # noqa: SIM905
_BEFORE = stem("before")
_INSTEAD = frozenset(("instead", "rather", "not"))
_PLACING = frozenset("from to into onto before after over under above below beneath behind inside outside against in on".split())  # noqa: SIM905
"""Prepositions that place one thing by another, so that the two cannot be exchanged."""
_LEADS = PREPOSITIONS | _PLACING | frozenset(("of", "than"))
_AND = frozenset("and but while whereas then or".split())  # noqa: SIM905
"""With these another part of a sentence begins, which may be about something else."""
_ASIDE = _AND | frozenset("which who that as because".split())  # noqa: SIM905
"""With these begins what has another subject, or is told of one thing only."""
_MANNER = frozenset(
    "default hand mistake accident law chance design post mail email e letter phone telephone car bus train tram taxi bike "  # noqa: SIM905
    "bicycle boat ship ferry plane air sea rail road land card cash cheque transfer weight volume now then far heart name "
    "nature choice request appointment arrangement invitation rotation lot vote".split()
)
"""What is behind "by" without an article where it says how it is done and not who does it."""
_MOST_THINGS = 12
_MOST_ITEMS = 20
"""In longer sentences the sides of a word hold too much to tell anything."""

Pair = tuple[Item, Item]


@dataclass(frozen=True, slots=True)
class Relation:
    """A word between things; `left` and `right` are its sides by stem, those of its converse where `name` is of one."""

    name: str
    anchor: Item
    left: dict[str, Item]
    right: dict[str, Item]
    is_compared: bool


def relations(statement: Statement) -> list[Relation]:
    """The relations of a sentence; a thing that stands twice in it is on no side."""
    items = _without_cleft(statement.items)
    if len(items) > _MOST_ITEMS:
        return []
    once = _once(items)
    return [relation for place in range(len(items)) if (relation := _relation(items, place, once)) is not None]


def _without_cleft(items: Sequence[Item]) -> Sequence[Item]:
    """The items of "Ann pays" for "it is Ann who pays" and of "Ann to pay" for "it is up to Ann to pay"."""
    norms = [i.norm for i in items]
    if norms[:1] != ["it"] or not _BE & set(norms[1:2]):
        return items
    if norms[2:4] == ["up", "to"]:
        return items[4:]
    place = next((n for n, norm in enumerate(norms) if norm in ("who", "that", "which")), 0)
    return [*items[2:place], *items[place + 1 :]] if place else items


def _once(items: Sequence[Item]) -> frozenset[str]:
    return frozenset(thing for thing, count in Counter(map(_thing, items)).items() if thing and count == 1)


def _thing(item: Item) -> str:
    """How the thing is called in both statements; a number without its unit. Empty where it is none."""
    if item.value is not None:
        return f"{item.value.kind} {(item.value.plain or item.value.readings)[0]}"
    return same_as(item.stem) if item.has_content and item.norm not in _LEADS else ""


def _relation(items: Sequence[Item], place: int, once: frozenset[str]) -> Relation | None:
    anchor = items[place]
    if anchor.value is not None or anchor.is_name or anchor.stem in SYMMETRIC_VERBS:
        return None
    start, end = _part(items, place)
    if adjective := compared(items, place):
        than = next(n for n in range(adjective + 1, len(items)) if items[n].norm == "as")
        more = items[than + 1 : _part(items, than + 1)[1]] if than + 1 < len(items) else []
        name, less = plain(items[adjective].stem), items[start:place]
        return _made(name, items[adjective], more, _compared_thing(less, once), once, is_compared=True)
    if anchor.norm in _NEXT | _INSTEAD and not _is_verbal(items, place):
        end_before = start - 1 if start > 1 and items[start - 1].norm in _AND else start
        before = _part(items, end_before - 1)[0] if start else 0
        return _made(_BEFORE if anchor.norm in _NEXT else "instead", anchor, items[before:place], items[place + 1 : end], once)
    if anchor.norm in _LEADS:
        return _of_preposition(items, start, place, end, once)
    is_led = place > start and items[place - 1].norm in (ARTICLES | OWNERS | _LEADS) - {"to"}
    if not (_thing(anchor) in once or anchor.stem in CONVERSES) or is_led or (place > start and _is_genitive(items[place - 1])):
        return None
    return _of_verb(items, start, place, end, once)


def _is_verbal(items: Sequence[Item], place: int) -> bool:
    """Does a negation stand behind an auxiliary ("does not pay"), and so deny what is done instead of exchanging two things?"""
    return items[place].norm == "not" and place > 0 and items[place - 1].norm in AUXILIARIES


def _part(items: Sequence[Item], place: int) -> tuple[int, int]:
    """Where the part of the sentence begins and ends that an item stands in."""
    start, end = place, place + 1
    while start > 0 and items[start - 1].clause == items[place].clause and items[start].norm not in _ASIDE:
        start -= 1
    while end < len(items) and items[end].clause == items[place].clause and items[end].norm not in _ASIDE:
        end += 1
    return start, end


def _of_preposition(items: Sequence[Item], start: int, place: int, end: int, once: frozenset[str]) -> Relation | None:
    """What is before it or, where it begins the clause, behind its object ("before the salad comes the soup")."""
    if items[place].norm not in _PLACING or (place and items[place - 1].stem in SYMMETRIC_VERBS):
        return None
    if items[place].norm in ("from", "to") and _is_distance(items[start:end]):
        return None
    first = place + 1
    while first < end and items[first].norm in ARTICLES | OWNERS:
        first += 1
    last = first
    while last < end and _thing(items[last]) and (place > start or last == first or items[last].is_name):
        last += 1
    others = _without_phrases(items[start:place] or items[last:end])
    return _made(items[place].stem, items[place], others, items[first:last], once)


def _is_distance(items: Sequence[Item]) -> bool:
    """It is as far from here to there as from there to here."""
    return any(i.value is not None and i.value.dimension == "length" for i in items)


def _of_verb(items: Sequence[Item], start: int, place: int, end: int, once: frozenset[str]) -> Relation | None:
    anchor, part = items[place], items[start:end]
    by = _agent(part)
    if by:
        rest = next((n for n in range(by + 1, len(part)) if part[n].norm in _LEADS), len(part))
        return _made(anchor.stem, anchor, part[by + 1 : rest], [*part[:by], *part[rest:]], once)
    if not _BE.isdisjoint(i.norm for i in items[max(start, place - 2) : place]) and _is_participle(anchor):
        return None  # a passive that does not say who does it
    after = items[place + 1 : end]
    norms = [i.norm for i in after]
    is_compared = "than" in norms[:3] or norms[:1] == ["of"]
    if not is_compared and anchor.stem not in CONVERSES:
        after = list(takewhile(lambda i: i.norm not in _PLACING, after))
    name = plain(anchor.stem) if is_compared else anchor.stem
    before = _compared_thing(items[start:place], once) if is_compared else _without_phrases(items[start:place])
    return _made(name, anchor, before, after, once, is_compared)


def _compared_thing(items: Sequence[Item], once: frozenset[str]) -> Sequence[Item]:
    """The items that no preposition leads, or all of them where only those say which thing it is ("the Lake of Arn")."""
    kept = _without_phrases(items)
    return kept if any(_thing(i) in once for i in kept) else items


def _is_participle(item: Item) -> bool:
    return item.norm.endswith(("ed", "en")) or is_irregular(item.norm)


def _agent(items: Sequence[Item]) -> int:
    """Where the "by" of a passive stands ("is often signed by"), 0 where there is none ("is running by", "is by")."""
    norms = [i.norm for i in items]
    by = norms.index("by") if "by" in norms else 0
    auxiliaries = [n for n in range(by) if norms[n] in _BE]
    behind = items[auxiliaries[-1] + 1 : by] if auxiliaries else ()
    verb = next((i.norm for i in behind if _thing(i) and not i.norm.endswith("ly")), "")
    is_reduced = by > 0 and _is_participle(items[by - 1])
    is_agent = by + 1 < len(items) and items[by + 1].norm not in _MANNER and items[by + 1].value is None
    return by if is_agent and (is_reduced or (verb and not verb.endswith("ing"))) else 0


def _without_phrases(items: Sequence[Item]) -> list[Item]:
    """The items that no preposition leads: of "in May the members of the old club" the members."""
    kept: list[Item] = []
    is_led = has_article = has_begun = False
    for item in items:
        if item.norm in _LEADS:
            is_led, has_article, has_begun = True, False, False
        elif item.norm in ARTICLES and is_led and not has_begun:
            has_article = True
        elif item.norm in ARTICLES or item.norm in AUXILIARIES or (has_begun and (item.is_name or not has_article)):
            is_led = False
        has_begun = has_begun or bool(_thing(item))
        if not is_led:
            kept.append(item)
    return kept


def _is_genitive(item: Item) -> bool:
    return item.value is None and item.end - item.start == len(item.norm) + 2


def _made(
    name: str, anchor: Item, left: Sequence[Item], right: Sequence[Item], once: frozenset[str], is_compared: bool = False
) -> Relation | None:
    sides = [{_thing(i): i for i in side if _thing(i) in once} for side in (left, right)]
    if not all(sides):
        return None
    known, is_turned = CONVERSES.get(name, (name, False))
    if is_turned:
        sides.reverse()
    return Relation(known, anchor, sides[0], sides[1], is_compared)


def _comparable(left: Statement, right: Statement) -> Iterator[tuple[Relation, Relation]]:
    """Relations of the same name; of two contrary comparatives ("heavier than", "lighter than") the second is turned round."""
    for f, g in product(relations(left), relations(right)):
        if f.name == g.name:
            yield f, g
        elif f.is_compared and g.is_compared and are_opposites(f.name, g.name):
            yield f, Relation(f.name, g.anchor, g.right, g.left, True)


def agree(left: Statement, right: Statement, x: Item, y: Item) -> bool:
    """Do both say of two things that they stand in the same relation, the same way round?

    Args:
        left: a statement.
        right: another one.
        x: the relation, or one of the things, in the first.
        y: the same in the second.
    """
    for f, g in _comparable(left, right):
        if f.left.keys() & g.left.keys() and f.right.keys() & g.right.keys():
            by_relation = f.anchor is x and g.anchor is y
            if by_relation or (_thing(x) in f.left and _thing(y) in f.right) or (_thing(y) in f.left and _thing(x) in f.right):
                return True
    return False


def changed_sides(left: Statement, right: Statement) -> tuple[Pair, Pair] | None:
    """Two things that have changed the sides of a relation: as they stand in the one statement and in the other."""
    if any(_denies(s.items, place) for s in (left, right) for place in range(len(s.items))):
        return None
    both = list(_comparable(left, right))
    if any(f.is_compared and f.left.keys() & g.left.keys() and f.right.keys() & g.right.keys() for f, g in both):
        return None
    for f, g in both:
        x = next((t for t in f.left if t in g.right and t not in g.left), "")
        y = next((t for t in f.right if t in g.left and t not in f.left), "")
        if x and y and x != y:
            return _in_order(f.left[x], f.right[y]), _in_order(g.left[y], g.right[x])
    return _changed_prepositions(left, right)


def _denies(items: Sequence[Item], place: int) -> bool:
    if items[place].norm == "not":
        return _is_verbal(items, place) and not compared(items, place)
    return items[place].norm in NEGATIONS


def _in_order(a: Item, b: Item) -> Pair:
    return (a, b) if a.start <= b.start else (b, a)


def _changed_prepositions(left: Statement, right: Statement) -> tuple[Pair, Pair] | None:
    """Two things of which each has the preposition of the other ("from A to B", "to A from B")."""
    ours, theirs = _led(left), _led(right)
    for x, y in combinations(sorted(ours.keys() & theirs.keys()), 2):
        if ours[x][0] == theirs[y][0] != ours[y][0] == theirs[x][0]:
            return _in_order(ours[x][1], ours[y][1]), _in_order(theirs[x][1], theirs[y][1])
    return None


def _led(statement: Statement) -> dict[str, tuple[str, Item]]:
    """The things with the preposition that stands right in front of each, articles aside."""
    if _is_distance(statement.items):
        return {}
    once, found = _once(statement.items), {}
    before: Item | None = None
    for item in statement.items:
        if before is not None and _thing(item) in once and before.norm in _PLACING:
            found[_thing(item)] = (CONVERSES.get(before.stem, (before.stem, False))[0], item)
        before = before if item.norm in ARTICLES else item
    return found


# --- what goes with what ----------------------------------------------------------------------------------------------


def changed_partners(a: Reading, b: Reading) -> tuple[Pair, Pair] | None:
    """Two things in one part of an answer and two in another, which are paired the other way in the other answer.

    "The kitchen is green and the hall is white" is such parts, beside "the hall is green, the kitchen white".
    """
    ours, theirs = _parts(a), _parts(b)
    both = sorted(ours.keys() & theirs.keys())[:_MOST_THINGS]
    pairs = [(x, y) for x, y in combinations(both, 2) if ours[x][0] == ours[y][0]]
    for (x, y), (u, v) in combinations(pairs, 2):
        if ours[x][0] == ours[u][0] or len({theirs[t][0] for t in (x, y, u, v)}) != 2:
            continue
        if theirs[x][0] != theirs[y][0] and theirs[u][0] != theirs[v][0]:
            partner = u if theirs[u][0] == theirs[x][0] else v
            return _in_order(ours[x][1], ours[y][1]), _in_order(theirs[x][1], theirs[partner][1])
    return None


def _parts(reading: Reading) -> dict[str, tuple[int, Item]]:
    """The things of an answer with the number of the part in which each stands."""
    items = reading.whole.items
    once, found, part = _once(items), {}, 0
    for before, item in zip((None, *items), items, strict=False):
        part += item.norm in _AND or (before is not None and before.clause != item.clause)
        if _thing(item) in once:
            found[_thing(item)] = (part, item)
    return found


def partners_agree(a: Reading, b: Reading) -> bool:
    """Are things paired the same way in two parts of both answers?"""
    ours, theirs = _parts(a), _parts(b)
    both = sorted(ours.keys() & theirs.keys())[:_MOST_THINGS]
    same = {ours[x][0] for x, y in combinations(both, 2) if ours[x][0] == ours[y][0] and theirs[x][0] == theirs[y][0]}
    return len(same) > 1
