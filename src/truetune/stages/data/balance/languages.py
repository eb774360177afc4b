"""Which languages the rows are in, and which rows answer in another language than they are asked in.

Each of a language's commonest little words tells it at a glance. Where a glance does not do, or says that two sides of a row
differ, a model of 140 languages decides (py3langid). Loading it takes half a second and 100 MB, so a set that never needs it
never loads it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from truetune.stages.data.rows import Row
from truetune.stages.data.text import words

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
SHARE_MIN = 0.01
"""A language of fewer of the sampled rows is counted with the unsure ones: it is mostly a short text misread. Source: ours."""
ROWS_MIN = 50
"""With fewer rows nothing is said of the whole. Source: ours."""
UNSURE = "unsure"

_TOLD_MIN = 20
_HALF_WORDS = 12
_CHARACTERS = 400
_LITTLE_WORDS = {
    "en": "the of and to is are was that with for you this have not it be on as my your what how from at they can do will would",
    "de": "der die das und ist nicht ein eine den mit von auf für dem sie ich es sich auch wie bei oder wird sind dass wir aus",
    "fr": "le la les des et est une du pas que pour dans vous avec sur au sont ce nous je il qui ne plus par ou cette votre elle",
    "es": "el los las que y en es una por con para del se no su al lo más como pero le este sus hay está mi cuando muy la de",
    "it": "il di che è la per un una non con del della sono gli le dei alla anche come più si ma questo nel ha lo ed poi mi",
    "pt": "o que e do da em um uma para não com os se no na por mais as dos como mas ao ou é seu sua foi quando muito tem",
    "nl": "de het een en van is niet dat te op voor met zijn er die in je ik aan maar ook als bij naar wordt om uit dan",
    "sv": "och att det är som en på för av med till den inte har om ett jag var men så från kan de vi när eller din",
    "da": "og at det er en på af for med til den ikke har som et jeg var men fra kan de vi når eller der din blev",
    "pl": "i w nie na się z do to że jest jak o po co tak za od ale czy dla przez przed są który może gdy oraz",
    "ru": "и в не на что с по как это но для от из у к за о его она они мы вы так же был была до если при",
}
"""The commonest words of each language that say nothing by themselves. Source: general knowledge of each; nothing is decided
by them alone but that two texts are in one language."""
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
_ASKED_FOR = re.compile(
    r"\b(?:translat|traduc|traduis|tradui|übersetz|vertaal|перевед|翻译|language|arabic|chinese|czech|danish|dutch|english|finnish|french|"
    r"german|greek|hebrew|hindi|hungarian|italian|japanese|korean|latin|norwegian|polish|portuguese|romanian|russian|spanish|swedish|"
    r"turkish|ukrainian|vietnamese|deutsch|englisch|français|español|italiano|português)",
    re.IGNORECASE,
)
"""A prompt that names a language or speaks of translating may ask for a change."""


class Change(NamedTuple):
    """The answer leaves the language of its prompt, or changes language on the way (`within`)."""

    before: str
    after: str
    within: bool


@dataclass(frozen=True)
class Languages:
    """What was found.

    Attributes:
        counts: sampled rows by language (ISO 639-1), the commonest first.
        sampled: how many rows were sampled.
        crossing_frac: of the sampled rows of which both sides could be told, so many change the language; 0 where they are few.
        reason: why nothing could be told; empty where something was.
    """

    counts: tuple[tuple[str, int], ...]
    sampled: int
    crossing_frac: float
    reason: str = ""


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
    both = [(prompt, answer) for prompt, answer in named if prompt and answer]
    crossing = sum(prompt != answer for prompt, answer in both) / len(both) if len(both) >= _TOLD_MIN else 0.0
    return Languages(tuple((code, n) for code, n in counts.most_common() if n), len(sample), crossing)


def glance(tokens: Sequence[str]) -> str:
    """The language whose little words a text has, if it has clearly more of them than of any other; else empty."""
    code, hits = _leading(tokens)
    return code if hits >= LITTLE_WORDS_FRAC * len(tokens) else ""


def _leading(tokens: Sequence[str]) -> tuple[str, int]:
    """The language whose little words a text has more of than of any other, however few, and how many; else empty."""
    hits: dict[str, int] = {}
    for token in tokens:
        for code in _OF_WORD.get(token, ()):
            hits[code] = hits.get(code, 0) + 1
    if not hits:
        return "", 0
    first = max(hits, key=hits.__getitem__)
    most = hits.pop(first)
    is_clear = most >= 2 and most >= 1.5 * max(hits.values(), default=0)
    return (first, most) if is_clear else ("", 0)


def _alike(first: Sequence[str], second: Sequence[str]) -> bool:
    """Are two texts in one language, at a glance? One of them has enough little words, the other clearly more of the same."""
    (a, hits_a), (b, hits_b) = _leading(first), _leading(second)
    return a == b != "" and (hits_a >= LITTLE_WORDS_FRAC * len(first) or hits_b >= LITTLE_WORDS_FRAC * len(second))


def change_of(row: Row) -> Change | None:
    """Where a row changes language without being asked to; None where it does not, or it cannot be told."""
    answer = row.answer.strip()[: 2 * _CHARACTERS]
    said = words(answer)
    if len(said) < WORDS_MIN:
        return None
    found = _crossing(row, answer, said) or _on_the_way(answer, said)
    return None if found and (_ASKED_FOR.search(row.prompt) or _ASKED_FOR.search(row.system)) else found


def language_change(before: str, after: str) -> tuple[str, str] | None:
    """The two languages of two texts, where each is far likelier in its own than in the other's; else None."""
    left = _ranked(before)
    a = next(iter(left))
    if not _reads_as(before, a):
        return None
    right = _ranked(after)
    b = next(iter(right))
    if a == b or left[a] - left[b] < MARGIN or right[b] - right[a] < MARGIN:
        return None
    return (a, b) if _reads_as(after, b) else None


def _named(sample: Sequence[Row], with_answers: bool) -> list[tuple[str, str]]:
    """The languages of prompt and answer of each row. The model is asked where a glance tells hardly any."""
    texts = [[row.prompt[:_CHARACTERS], row.answer.strip()[:_CHARACTERS] if with_answers else ""] for row in sample]
    tokens = [[words(text) for text in pair] for pair in texts]
    found = [[glance(side) for side in pair] for pair in tokens]
    told = sum(any(pair) for pair in found)
    if told < len(sample) / 2:
        found = [[_name(text, t) for text, t in zip(pair, ts, strict=True)] for pair, ts in zip(texts, tokens, strict=True)]
    return [(prompt, answer) for prompt, answer in found]


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
    """Does a text have the little words that prose of its language has? True of languages whose words are not known here."""
    if code not in _LITTLE_WORDS:
        return True
    tokens = words(text[:_CHARACTERS])
    return sum(code in _OF_WORD.get(token, ()) for token in tokens) >= LITTLE_WORDS_FRAC * len(tokens)


def _crossing(row: Row, answer: str, said: Sequence[str]) -> Change | None:
    asked = words(row.prompt[:_CHARACTERS])
    if len(asked) < WORDS_MIN:
        return None
    if _alike(said, asked):
        return None
    found = language_change(row.prompt, answer)
    return Change(*found, within=False) if found else None


def _on_the_way(answer: str, said: Sequence[str]) -> Change | None:
    """The two halves of an answer are in different languages."""
    half = len(said) // 2
    if half < _HALF_WORDS:
        return None
    if _alike(said[:half], said[half:]):
        return None
    middle = answer.find(" ", len(answer) // 2)
    found = language_change(answer[:middle], answer[middle:]) if middle > 0 else None
    return Change(*found, within=True) if found else None
