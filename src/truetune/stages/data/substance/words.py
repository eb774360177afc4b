"""The words that a comparison of substance needs to know: negations, converses, words that carry nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_EQUIVALENT = """
close/shut closed/shut increase/raise increase/grow reduce/lower reduce/decrease forbid/prohibit forbid/ban allow/permit
incorrect/wrong large/big begin/start end/finish end/stop cheap/inexpensive mandatory/compulsory mandatory/required refuse/reject
"""

NEGATIONS = frozenset("not no non never neither nor none nobody nothing nowhere without".split())  # noqa: SIM905
"""Words that turn a statement round."""

TURNS = frozenset(
    "only unless until till except but besides other instead rather although though however free zero "  # noqa: SIM905
    "against avoid prevent stop".split()
)
"""A statement with one of these may be negated and still say the same ("not after Friday", "only until Friday")."""

FUNCTION_WORDS = frozenset(
    "a an the this that these those there here it its he she they them his her their we our us you your i me my mine one ones "  # noqa: SIM905
    "is are was were be been being am do does did done has have had having will would shall should can could may might must "
    "of in on at to for from by with as into onto upon about within per via than then so and or if when while because since "
    "which who whom whose what where how why also too very just really simply please well quite rather still yet already "
    "mr ms mrs dr prof sir get gets got make makes made own such any some each every both either up out off over again "
    "anything anyone anybody".split()
)
"""Words that say nothing by themselves; two answers are about the same where the others are."""

_CONVERSE = (
    ("before precede", "after follow"),
    ("to into onto", ""),
    ("over above", "under below beneath underneath"),
    ("lend", "borrow"),
    ("sell", "buy"),
    ("send give supply supplies deliver pass forward hand", "receive get"),
    ("teach train", "learn"),
    ("employ", "work"),
    ("own include contain", "belong"),
    ("cause", "result"),
    ("beat defeat win", "lose lost"),
    ("instead replace", ""),
)
"""Each word of one side says with the things exchanged what each word of the other says ("A before B", "B after A")."""

SYMMETRIC_VERBS = frozenset(
    "meet marry wed link connect join border equal resembl match play face differ combin merg touch cross similar next near "  # noqa: SIM905
    "clos adjacent opposit identical relat compar correspond besid between both together swap exchang alternat neighbour".split()
)
"""Stems of what is the same from either side."""

PREPOSITIONS = frozenset(
    "in on at by for from to with without within after before during since until if when while because although as about "  # noqa: SIM905
    "under over through per via unless once".split()
)

YES = frozenset("yes yeah yep yup sure true correct right indeed certainly absolutely definitely affirmative".split())  # noqa: SIM905
NO = frozenset("no nope nah false incorrect wrong negative".split())  # noqa: SIM905
REFUSALS = frozenset("forbidden prohibited banned excluded refused denied rejected closed".split())  # noqa: SIM905
"""Words that say no by themselves."""
CONSENTS = frozenset("possible fine ok okay welcome allowed permitted available included accepted".split())  # noqa: SIM905
"""Words that say no where they are denied, whatever was asked."""
FIRST_WORDS = frozenset(
    "ask open go order use take turn call write see check contact visit click choose select try look find bring send email "  # noqa: SIM905
    "phone press speak talk keep leave put get give make pay buy wait start begin add remove follow enter read tell sign "
    "drive walk head only just always usually mostly normally often sometimes maybe perhaps probably first then "
    "please both most many several".split()
)
"""Words with which instructions and other sentences begin, and no names although they have a capital there."""
AUXILIARIES = frozenset(
    "is are was were am do does did has have had can could may might must will would shall should need".split()  # noqa: SIM905
)
ARTICLES = frozenset(("a", "an", "the"))
OWNERS = frozenset("my your his her its our their this that these those each every some no another".split())  # noqa: SIM905
"""Words that begin the name of a thing as an article does."""

_VOWELS = frozenset("aeiouy")


_VERBS = """
send sent, teach taught, buy bought, sell sold, tell told, lend lent, give gave given, take took taken, get got, make
made, build built, hold held, lead led, meet met, win won, keep kept, bring brought, catch caught, write wrote written,
drive drove driven, rise rose risen, fall fell fallen, grow grew grown, know knew known, choose chose chosen, begin began
begun, break broke broken, speak spoke spoken, go went gone, come came, run ran, sit sat, stand stood, see seen, eat ate
eaten, drink drank, ride rode ridden, shrink shrank shrunk, swell swollen, throw threw thrown, draw drew drawn, wear
wore worn, hide hid hidden, forbid forbade forbidden, beat beaten, fight fought, feed fed, understand understood, spend
spent, hear heard
"""
_IRREGULAR = {form: verb.split()[0] for verb in _VERBS.split(",") for form in verb.split()[1:]}
"""Of verbs that form their past irregularly, the base form; forms that are other words as well ("left", "found") are not here."""


def is_irregular(word: str) -> bool:
    """Is it a past form of an irregular verb?"""
    return word in _IRREGULAR


_BRITISH = re.compile(r"(?<=\w{3})is(?=(?:e|ed|es|ing|er|ation)$)")
"""The "is" of "criticised"; what else it finds ("raised") is spelt one way only."""


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """The word without its ending, so that "includes" meets "included"; not always a word itself."""
    word = _BRITISH.sub("iz", _IRREGULAR.get(word, word))
    for ending in ("ations", "ation", "ings", "ing", "ies", "ied", "edly", "ed", "es", "ly", "s"):
        rest = word[: -len(ending)]
        if word.endswith(ending) and len(rest) >= 3 and set(rest) & _VOWELS and not (ending == "s" and word.endswith("ss")):
            return bare(rest + ("y" if ending in ("ies", "ied") else ""))
    return bare(word)


def bare(word: str) -> str:
    """Without a silent e or a doubled last letter, which endings bring and take away."""
    if len(word) > 3 and word[-1] == "e":
        return word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
        return word[:-1]
    return word


def same_as(stemmed: str) -> str:
    """One stem for all that say the same as one ("begin" for "start")."""
    return min((stemmed, *_SAME.get(stemmed, _NOTHING)))


def _table(written: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in written.split():
        a, b = map(stem, pair.split("/"))
        found.setdefault(a, set()).add(b)
        found.setdefault(b, set()).add(a)
    return {word: frozenset(others) for word, others in found.items()}


_SAME = _table(_EQUIVALENT)


def shared(words: Iterable[str], others: frozenset[str] | set[str]) -> int:
    """How many of the stems are among the others, themselves or as one that says the same."""
    return sum(word in others or not _SAME.get(word, _NOTHING).isdisjoint(others) for word in words)


_NOTHING: frozenset[str] = frozenset()
_NEGATING_PREFIXES = ("un", "in", "im", "ir", "il", "non", "dis")


def without_prefix(word: str) -> str:
    """Read "unavailable" as "available"; empty where nothing that negates stands in front."""
    for prefix in _NEGATING_PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= 4:
            return word[len(prefix) :]
    return ""


CONVERSES = {
    stem(word): (stem(same.split()[0]), is_turned)
    for same, turned in _CONVERSE
    for words, is_turned in ((same, False), (turned, True))
    for word in words.split()
}
"""For the stem of a relation the one that stands for it, and whether its two sides are exchanged there."""
