"""The words that a comparison of substance needs to know: negations, opposites, words that carry nothing."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import combinations

_PAIRS = """
gain/lose expand/contract forward/back
before/after earlier/later early/late above/below over/under upward/downward upstairs/downstairs left/right top/bottom
front/back front/rear upper/lower inside/outside indoors/outdoors indoor/outdoor inner/outer north/south east/west
northern/southern eastern/western northeast/southwest northwest/southeast inbound/outbound inward/outward forward/backward
forwards/backwards horizontal/vertical horizontally/vertically clockwise/anticlockwise clockwise/counterclockwise
open/close open/shut opened/closed unlock/lock start/stop start/end start/finish begin/end begin/finish first/last
allow/forbid allow/prohibit allow/ban allow/prevent allow/deny permit/forbid permit/prohibit permit/ban
allowed/forbidden allowed/prohibited allowed/banned permitted/forbidden permitted/prohibited
include/exclude accept/reject accept/refuse accept/decline approve/reject approve/deny grant/deny grant/refuse
enable/disable activate/deactivate switch_on/switch_off on/off connect/disconnect attach/detach mount/unmount install/uninstall
install/remove add/remove insert/remove insert/delete keep/discard keep/delete save/delete push/pull send/receive buy/sell
import/export upload/download borrow/lend enter/leave enter/exit arrive/depart arrive/leave win/lose won/lost pass/fail
succeed/fail success/failure love/hate like/dislike agree/disagree always/never everyone/nobody everything/nothing all/none
upper/lower highest/lowest larger/smaller
largest/smallest bigger/smaller biggest/smallest longer/shorter longest/shortest faster/slower fastest/slowest
better/worse best/worst cheaper/dearer cheapest/dearest older/younger oldest/youngest older/newer oldest/newest
high/low large/small big/small long/short tall/short wide/narrow thick/thin deep/shallow fast/slow quick/slow quickly/slowly
hot/cold warm/cold warm/cool warmer/cooler hotter/colder dry/wet hard/soft strong/weak heavy/light light/dark bright/dark
true/false correct/wrong correct/incorrect right/wrong valid/invalid legal/illegal possible/impossible able/unable
available/unavailable safe/unsafe safe/dangerous healthy/unhealthy edible/poisonous harmless/harmful harmless/dangerous
likely/unlikely necessary/unnecessary limited/unlimited known/unknown visible/hidden visible/invisible reversible/irreversible
required/optional mandatory/optional compulsory/optional mandatory/voluntary compulsory/voluntary obligatory/optional
free/paid public/private paid/unpaid full/empty fresh/frozen alive/dead married/single male/female
positive/negative plus/minus odd/even single/double internal/external temporary/permanent temporarily/permanently
automatic/manual automatically/manually digital/analogue online/offline domestic/foreign national/international
same/different similar/different separate/together separately/together present/absent
ascending/descending ascend/descend incoming/outgoing summer/winter morning/evening morning/afternoon day/night
daily/weekly daily/monthly weekly/monthly monthly/yearly monthly/annually annual/monthly weekly/yearly daily/yearly
parallel/sequence parallel/sequential parallel/sequentially sun/shade sunny/shady
sender/recipient sender/receiver buyer/seller customer/supplier employer/employee tenant/landlord teacher/student
input/output debit/credit profit/loss income/expense supply/demand
"""
_GROUPS = (
    ("increase rise raise grow up higher climb more", "decrease reduce lower fall drop shrink down decline fewer less"),
    ("maximum max maximal most", "minimum min minimal least"),
)
"""Every word of one side says the contrary of every word of the other."""
_ONE_OF_A_KIND = (
    "red orange yellow green blue purple pink brown black white grey",
    "spring summer autumn winter",
)
"""Of these, each says the contrary of every other."""
_EQUIVALENT = """
close/shut closed/shut increase/raise increase/grow reduce/lower reduce/decrease forbid/prohibit forbid/ban allow/permit
incorrect/wrong large/big begin/start end/finish end/stop cheap/inexpensive mandatory/compulsory mandatory/required refuse/reject
"""

NEGATIONS = frozenset("not no non never neither nor none nobody nothing nowhere without".split())  # noqa: SIM905
"""Words that turn a statement round."""

TURNS = frozenset("only unless until till except but besides other instead rather although though however free zero".split())  # noqa: SIM905
"""A statement with one of these may be negated and still say the same ("not after Friday", "only until Friday")."""

RELATIONS = frozenset(
    "before after above below over under more less fewer higher lower larger smaller older younger later earlier longer "  # noqa: SIM905
    "shorter faster slower better worse north south east west left right lends lend borrow borrows buy buys sell sells send "
    "sends receive receives".split()
)
"""Opposites that stand between two things: with the things exchanged too, both say the same."""

FUNCTION_WORDS = frozenset(
    "a an the this that these those there here it its he she they them his her their we our us you your i me my mine one ones "  # noqa: SIM905
    "is are was were be been being am do does did done has have had having will would shall should can could may might must "
    "of in on at to for from by with as into onto upon about within per via than then so and or if when while because since "
    "which who whom whose what where how why also too very just really simply please well quite rather still yet already "
    "mr ms mrs dr prof sir get gets got make makes made own such any some each every both either up out off over again".split()
)
"""Words that say nothing by themselves; two answers are about the same where the others are."""

SYMMETRIC = frozenset(
    "and or nor with plus equals equal same similar versus vs meets is are was were be called namely as well both to".split()  # noqa: SIM905
)
"""Between two things these say the same in either order ("to" only between others of them: "similar to")."""

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
AUXILIARIES = frozenset(
    "is are was were am do does did has have had can could may might must will would shall should need".split()  # noqa: SIM905
)


_VOWELS = frozenset("aeiouy")


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """The word without its ending, so that "includes" meets "included"; not always a word itself."""
    for ending in ("ations", "ation", "ings", "ing", "ies", "ied", "edly", "ed", "es", "ly", "s"):
        rest = word[: -len(ending)]
        if word.endswith(ending) and len(rest) >= 3 and set(rest) & _VOWELS and not (ending == "s" and word.endswith("ss")):
            return _bare(rest + ("y" if ending in ("ies", "ied") else ""))
    return _bare(word)


def _bare(word: str) -> str:
    """Without a silent e or a doubled last letter, which endings bring and take away."""
    if len(word) > 3 and word[-1] == "e":
        return word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
        return word[:-1]
    return word


def _table(written: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in written.split():
        a, b = map(stem, pair.split("/"))
        found.setdefault(a, set()).add(b)
        found.setdefault(b, set()).add(a)
    return {word: frozenset(others) for word, others in found.items()}


OPPOSITES = _table(
    " ".join(
        (
            _PAIRS,
            *(f"{a}/{b}" for ups, downs in _GROUPS for a in ups.split() for b in downs.split()),
            *(f"{a}/{b}" for kind in _ONE_OF_A_KIND for a, b in combinations(kind.split(), 2)),
        )
    )
)
"""For each stem those that say the contrary."""
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
