"""Which languages the rows are in, and which rows answer in another language than they are asked in.

Each of a language's commonest little words tells it at a glance. Where a glance does not do, or says that two sides of a row
differ, a model of 140 languages decides (py3langid). Loading it takes half a second and 100 MB, so a set that never needs it
never loads it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from truetune.core.text import words
from truetune.stages.data.rows.row import Row

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

SAMPLE_ROWS = 1000
"""Rows whose languages are named. Source: arithmetic: a language of 1 % of the rows is then missed once in 20,000 samples."""
MARGIN = 3.0
"""How much likelier a text must be in its own language than in the other's, in nats over the square root of its bytes (the
scale on which the model is calibrated). Source: measured: docs/log.md, "languages"."""
WORDS_MIN = 5
"""Shorter texts are not judged. Source: measured: docs/log.md, "languages"."""
HABIT_FRAC = 0.1
"""Where more of the rows change the language, changing it is the task (translation), and no row is flagged. Source: ours."""
LITTLE_WORDS_FRAC = 0.15
"""So much of a text in a known language is its little words; a list of dishes or names has fewer. Source: measured:
docs/log.md."""
PROSE_FRAC = 0.85
"""So much of prose is letters and spaces. Source: measured: docs/log.md, "languages"."""
_FEWEST_LITTLE_FRAC, _SHORT_LIST_WORDS = 0.08, 8
SHARE_MIN = 0.01
"""A language of fewer of the sampled rows is counted with the unsure ones: it is mostly a short text misread. Source: ours."""
ROWS_MIN = 50
"""With fewer rows nothing is said of the whole. Source: ours."""
UNSURE = "unsure"

_END_WORDS = 8
_LIST_LINES = 3
_CHARACTERS = 400
_LITTLE_WORDS = {
    "en": "the of and is are was that with for you this have not it be my your what how from at they can we would if "
    "but by had his her he she them their our all out some could should please about any there does did when who "
    "why which into than then been were these those more most other such only",
    "de": "der die das und ist nicht ein eine den mit von auf für dem sie ich es sich auch wie bei oder wird sind dass "
    "wir aus haben einen einer einem ihr ihre ihren nach noch nur wenn aber mehr sehr kann können werden wurde "
    "durch bis zum zur dann vor über sein",
    "fr": "le la les des et est une du pas que pour dans vous avec sur au sont ce nous je il qui ne plus par ou cette "
    "votre elle ses leur leurs mais avant après encore très aussi comme elles ils était être fait peut faut cela "
    "celle ceux entre deux vos nos chez",
    "es": "el los las que y es una por con para del se su al lo más como pero le este sus hay está mi cuando muy la de "
    "también entre sobre desde hasta donde porque nos les fue ser tiene tenemos después antes ya ni están había "
    "eso esa ese nuestra nuestro",
    "it": "il di che è la per una un non con del della sono gli le dei alla anche più si ma questo nel ha lo ed poi mi "
    "sua suo nostra degli delle nei nella sulla perché quando prima dopo ancora molto essere stato fatto loro "
    "questa quello ogni così",
    "pt": "o que e da em um uma para não com os se na por mais dos como mas ao ou é seu sua foi quando muito tem de são "
    "está estão nós ele ela isso este esta pela pelo até também já depois antes porque onde nos nas aos às sem "
    "entre sobre ter",
    "nl": "de het een en van niet dat te op voor met zijn er je ik aan maar ook als bij naar wordt om uit dan heeft "
    "deze die dit wel nog geen hoe wat waar zij hij wij hun mijn uw kan moet zou altijd heel veel meer werd "
    "hebben tot onze",
    "sv": "och att det är som en på för av med till den inte har om ett jag var men från kan vi när eller din",
    "da": "og det er en på af for med til den ikke har som et jeg var fra kan vi når eller der din blev",
    "pl": "w nie na się z że jest jak tak za od ale czy dla przez przed są który może gdy oraz tym tego bardzo jeszcze "
    "już tylko potem kiedy gdzie był była było być jego jej ich nas mnie tej między trzeba też można będzie mamy "
    "ani bo lub je",
    "ru": "и в не на что с по как это но для от из у к за о его она они мы вы так же был была до если при есть бы уже "
    "только когда потом очень мой моя наш их её ещё нет нас вас этот эта этом чтобы тоже можно нужно под над "
    "перед",
}
"""The commonest words of each language that say nothing by themselves. English ones that are common elsewhere (`do`, `to`
and `i` in Polish, `in` and `also` in German) are left out. Source: general knowledge of each; nothing is decided by them
alone but that two texts are in one language."""
LITTLE_WORDS = frozenset(word for text in _LITTLE_WORDS.values() for word in text.split())
_OF_WORD: dict[str, tuple[str, ...]] = {}
for _code, _text in _LITTLE_WORDS.items():
    for _word in _text.split():
        _OF_WORD[_word] = (*_OF_WORD.get(_word, ()), _code)
_LEFT_OUT = frozenset(
    word
    for part in (
        "ace an ary arz bcl br co crh dz eo ext fo fuv fy gcf gcr gd gom grc gug guw ha hbo ht ig jv kab",
        "kik la lb lg lij ln ltg mg nn nso oc om pcm qu rw sa sdh se sn so st uzs vec vo wa wuu xh yo yue zu zxx",
    )
    for word in part.split()
)
"""Not told apart from larger neighbours in a few words; without them English is misread less often."""
_ANY_ASKED_FOR = re.compile(
    r"\b(?:translat|traduc|traduis|tradui|übersetz|vertaal|перевед|翻译|"
    r"(?<!natural )(?<!programming )(?<!query )(?<!markup )(?<!body )(?<!sign )languages?(?! (?:model|processing)))",
    re.IGNORECASE,
)
"""A prompt that speaks of translating or of languages may ask for any; one of language models need not."""
_FAMILIES = (
    ("english|englisch", "en"),
    ("german|dutch|deutsch|afrikaans", "de nl af"),
    ("danish|norwegian|swedish", "da nb nn no sv"),
    ("french|italian|latin|portuguese|romanian|spanish|français|español|italiano|português", "ca es fr gl it la oc pt ro"),
    ("czech|polish|russian|ukrainian|bulgarian|croatian|serbian|slovak", "be bg bs cs hr mk pl ru sk sl sr uk"),
    ("chinese|japanese|korean", "ja ko zh"),
    ("arabic|persian|urdu", "ar fa ur"),
    ("hindi|bengali|nepali|marathi", "bn hi mr ne"),
    ("finnish|estonian", "et fi"),
    ("greek", "el"),
    ("hebrew", "he"),
    ("hungarian", "hu"),
    ("turkish", "tr az"),
    ("vietnamese", "vi"),
)
"""Names of languages, and the codes of those that are easily taken for one another."""
_NAMED = re.compile(rf"\b(?:{'|'.join(f'({names})' for names, _ in _FAMILIES)})", re.IGNORECASE)
"""A prompt that names a language may ask for it, but for no other one: "the English author"."""


class Change(NamedTuple):
    """The answer leaves the language of its prompt, or changes language on the way (`within`).

    `before` is empty where the prompt is too short to tell its language by itself: the other rows then decide.
    """

    before: str
    after: str
    within: bool


@dataclass(frozen=True)
class Languages:
    """What was found.

    Attributes:
        counts: sampled rows by language (ISO 639-1), the commonest first.
        sampled: how many rows were sampled.
        crossing_frac: of the sampled rows of which a side could be told, so many change the language.
        reason: why nothing could be told; empty where something was.
    """

    counts: tuple[tuple[str, int], ...]
    sampled: int
    crossing_frac: float
    reason: str = ""

    @property
    def main(self) -> str:
        """The language that nearly all rows are in of which it could be told; empty where there is none."""
        told = [(code, n) for code, n in self.counts if code != UNSURE]
        return told[0][0] if told and told[0][1] >= (1 - HABIT_FRAC) * sum(n for _, n in told) else ""


def look_at_languages(rows: Sequence[Row], with_answers: bool, seed: int) -> Languages:
    """Name the languages of a sample.

    Args:
        rows: all rows.
        with_answers: answers are prose whose language can be told; else only prompts are looked at.
        seed: of the sample.
    """
    if len(rows) < ROWS_MIN:
        return Languages((), 0, 0.0, f"fewer than {ROWS_MIN} rows")
    sample = [rows[int(p)] for p in _drawn(len(rows), seed)]
    named = _named(sample, with_answers)
    of_rows = Counter(prompt or answer or UNSURE for prompt, answer in named)
    counts = Counter({code: n for code, n in of_rows.items() if code != UNSURE and n >= SHARE_MIN * len(sample)})
    if not counts:
        return Languages((), len(sample), 0.0, "the texts are too short to tell their language")
    counts[UNSURE] = len(sample) - counts.total()
    told = sum(bool(prompt or answer) for prompt, answer in named)
    crossing = sum(bool(prompt and answer) and prompt != answer for prompt, answer in named) / told
    return Languages(tuple((code, n) for code, n in counts.most_common() if n), len(sample), crossing)


def glance(tokens: Sequence[str]) -> str:
    """The language whose little words a text has, if it has clearly more of them than of any other; else empty."""
    return _told_by(_hits(tokens), len(tokens))


def _told_by(hits: Mapping[str, int], tokens: int) -> str:
    if not hits:
        return ""
    first = max(hits, key=hits.__getitem__)
    second = max((n for code, n in hits.items() if code != first), default=0)
    return first if hits[first] >= max(2, LITTLE_WORDS_FRAC * tokens, 1.5 * second) else ""


def seem_alike(first: Sequence[str], second: Sequence[str]) -> bool:
    """At a glance, are two texts in one language? One of them must be named; the other needs some of its little words."""
    sides = [(_hits(tokens), len(tokens)) for tokens in (first, second)]
    for (named, length), (hits, tokens) in (sides, reversed(sides)):
        if language := _told_by(named, length):
            enough = 1 if tokens <= _SHORT_LIST_WORDS else max(2, _FEWEST_LITTLE_FRAC * tokens)
            return enough <= hits.get(language, 0) == max(hits.values(), default=0)
    return False


def _hits(tokens: Sequence[str]) -> dict[str, int]:
    """How many of the words are little words of each language."""
    hits: dict[str, int] = {}
    for token in filter(_OF_WORD.__contains__, tokens):
        for code in _OF_WORD[token]:
            hits[code] = hits.get(code, 0) + 1
    return hits


def change_of(row: Row) -> Change | None:
    """Where a row changes language, or may do so, without being asked to; None where it does not, or it cannot be told."""
    answer = row.answer.strip()[: 2 * _CHARACTERS]
    said = _split(answer)
    if len(said) < WORDS_MIN or not _is_prose(answer):
        return None
    found = _on_the_way(answer, said) or _crossing(row.prompt[:_CHARACTERS], answer, said)
    return None if found and _may_be_asked_for(found, f"{row.system}\n{row.prompt}") else found


def _may_be_asked_for(change: Change, prompt: str) -> bool:
    if _ANY_ASKED_FOR.search(prompt):
        return True
    spoken = glance(_split(prompt))
    return any(
        code != spoken and code in _FAMILIES[name.lastindex - 1][1].split()
        for name in _NAMED.finditer(prompt)
        if name.lastindex
        for code in change[:2]
    )


def differs_from(row: Row, change: Change, main: str) -> bool:
    """Is the answer of a row whose prompt could not be told in another language than the one that the rows are in?"""
    if change.after == main:
        return False
    prompt, answer = _ranked(row.prompt), _ranked(row.answer.strip())
    clearly = answer.get(change.after, 0.0) - answer.get(main, 0.0) >= MARGIN
    return clearly and prompt.get(main, 0.0) >= prompt.get(change.after, 0.0)


def language_change(before: str, after: str) -> tuple[str, str] | None:
    """The two languages of two texts, where each is far likelier in its own than in the other's; else None."""
    left, right = _ranked(before), _ranked(after)
    a, b = next(iter(left)), next(iter(right))
    if a == b or left[a] - left[b] < MARGIN or right[b] - right[a] < MARGIN:
        return None
    return (a, b) if _reads_as(after, b) else None


def _named(sample: Sequence[Row], with_answers: bool) -> list[tuple[str, str]]:
    """The languages of prompt and answer of each row. The model is asked where a glance tells hardly any."""
    texts = [[row.prompt[:_CHARACTERS], row.answer.strip()[:_CHARACTERS] if with_answers else ""] for row in sample]
    tokens = [[_split(text) for text in pair] for pair in texts]
    found = [[glance(side) for side in pair] for pair in tokens]
    told = sum(any(pair) for pair in found)
    if told < len(sample) / 2:
        found = [[_name(text, t) for text, t in zip(pair, ts, strict=True)] for pair, ts in zip(texts, tokens, strict=True)]
    return _believed(texts, found)


def _believed(texts: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """The languages that are surely another than the one that most rows are in; what is not sure is not said.

    A few words have little words of a language by chance, and the fewer a text has, the less that says beside what all the other
    rows say. Languages of too few rows are not looked at: they are not reported anyway.
    """
    counts = Counter(code for pair in found for code in set(pair) if code)
    main = counts.most_common(1)[0][0] if counts else ""
    asked = {code for code, n in counts.items() if code != main and n >= SHARE_MIN * len(found)}
    said = [
        [code if code not in asked or _is_surely(text, code, main) else "" for text, code in zip(pair, codes, strict=True)]
        for pair, codes in zip(texts, found, strict=True)
    ]
    return [(prompt, answer) for prompt, answer in said]


def _is_surely(text: str, code: str, other: str) -> bool:
    ranked = _ranked(text)
    return ranked.get(code, 0.0) - ranked.get(other, 0.0) >= MARGIN


def _name(text: str, tokens: Sequence[str]) -> str:
    if len(tokens) < WORDS_MIN:
        return ""
    (first, best), (_, second) = list(_ranked(text).items())[:2]
    return first if best - second >= MARGIN / 2 else ""


def _drawn(rows: int, seed: int) -> Iterable[int]:
    if rows <= SAMPLE_ROWS:
        return range(rows)
    return sorted(int(p) for p in np.random.default_rng(seed).choice(rows, SAMPLE_ROWS, replace=False))


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - half a second and 100 MB, only where needed

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages([code for code in identifier.labels if code not in _LEFT_OUT])
    return identifier


def _ranked(text: str) -> dict[str, float]:
    """How likely a text is in each language, the likeliest first, in nats over the square root of its bytes."""
    text = text[:_CHARACTERS]
    scale = 1 / math.sqrt(max(1, len(text.encode("utf-8", "surrogatepass"))))
    return {code: score * scale for code, score in _identifier().rank(text)}


def _reads_as(text: str, code: str) -> bool:
    """Does a text have the little words that prose of its language has? Not asked of other scripts, nor where none are known."""
    if code not in _LITTLE_WORDS or code == "ru":
        return True
    tokens = words(text[:_CHARACTERS])
    found = sum(code in _OF_WORD.get(token, ()) for token in tokens)
    return found >= _FEWEST_LITTLE_FRAC * len(tokens) and (found > 1 or len(tokens) > _SHORT_LIST_WORDS)


def _crossing(prompt: str, answer: str, said: Sequence[str]) -> Change | None:
    asked = _split(prompt)
    if seem_alike(said, asked):
        return None
    found = language_change(prompt, answer) if len(asked) >= WORDS_MIN else None
    if found:
        return Change(*found, within=False)
    after = glance(said) or _name(answer, said)
    return Change("", after, within=False) if after and _reads_as(answer, after) else None


def _on_the_way(answer: str, said: Sequence[str]) -> Change | None:
    """The two ends of an answer are in different languages."""
    if len(said) < 2 * _END_WORDS:
        return None
    end = max(_END_WORDS, len(said) // 3)
    if seem_alike(said[:end], said[-end:]):
        return None
    characters = len(answer) * end // len(said)
    found = language_change(answer[:characters], answer[-characters:])
    return Change(*found, within=True) if found and _reads_as(answer[:characters], found[0]) else None


def _split(text: str) -> Sequence[str]:
    """Words at a glance; of scripts without spaces the characters."""
    tokens = text.lower().split()
    return tokens if len(tokens) >= WORDS_MIN or text.isascii() else words(text)


def _is_prose(text: str) -> bool:
    """Mostly letters and spaces, and no list: tables, formulas, code and names are in no language."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) >= _LIST_LINES and sum(len(line.split()) <= WORDS_MIN for line in lines) > len(lines) / 2:
        return False
    return sum(map(str.isalpha, text)) + text.count(" ") >= PROSE_FRAC * len(text)
