"""Personal data of the kinds that `samples` does not make, put into real requests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.faults.corpora import Corpus, Example, available
from benchmarks.faults.plant import Kind, Make, as_line
from benchmarks.pii.values import CARRIERS, MAKERS

NAMES = ("itin", "uk_nino", "de_tax_id", "mac_address", "crypto_address", "vin")


def _with_value(name: str) -> Make:
    def make(rng: random.Random, example: Example, corpus: Corpus) -> str:
        said = rng.choice(CARRIERS[name]).format(MAKERS[name](rng))
        pieces = [example.prompt, said]
        rng.shuffle(pieces)
        return as_line(corpus.system, Example(" ".join(pieces), example.answer))

    return make


KINDS = {kind.name: kind for kind in (Kind(f"pii, {name}", f"data.pii.{name}", "row", _with_value(name)) for name in NAMES)}


_FIRST = ("Ottilie", "Marcus", "Priya", "Henrik", "Samira", "Tobias", "Chiara", "Duncan", "Mei", "Rafael", "Ingrid", "Patrick")
_LAST = ("Brandvold", "Oyelaran", "Castellano", "Whitcombe", "Lindqvist", "Ferreira", "Novak", "Ashdown", "Tanaka", "Keller")
_PERSON_CARRIERS = (
    "My name is {}.",
    "Please ask for {} at the desk.",
    "{} told me about it yesterday.",
    "It was written by {}, who lives next door.",
    "I am writing on behalf of {}.",
)


def _with_name(rng: random.Random, example: Example, corpus: Corpus) -> str:
    """A first name and a last name, drawn apart: of nobody in particular."""
    said = rng.choice(_PERSON_CARRIERS).format(f"{rng.choice(_FIRST)} {rng.choice(_LAST)}")
    pieces = [example.prompt, said]
    rng.shuffle(pieces)
    return as_line(corpus.system, Example(" ".join(pieces), example.answer))


PERSON = Kind("pii, name of a person", "data.pii.person", "row", _with_name)


_NAMED = {
    "calendar_update": "jake's",
    "cancel_reservation": "joe chris carl johnsons",
    "change_accent": "bowie",
    "change_ai_name": "hillary betty russ marion dave liz lexi",
    "change_user_name": "mary stefan carrie ishmael josh brad stu, frank",
    "confirm_reservation": "kevin paulie jaime josh carol kramer adam acer",
    "make_call": "christie's jordan dave mario lizzy macy robby",
    "meeting_schedule": "dan pete roger travis richard",
    "play_music": "elvis",
    "reminder_update": "bill",
    "restaurant_reservation": "steve kevin jack",
    "schedule_meeting": "tom george bob saul",
    "share_location": "kelly sam bill paul noel",
    "text": "ashley christopher william nancy natalie sal marissa ally",
    "update_playlist": "sade",
}
"""Who is named in CLINC150, by intent: all 2,295 rows were read, the check was not asked. A place named after somebody is not."""


def named() -> Iterator[Corpus | str]:
    """The corpora in which people are seldom named, without the rows that name somebody: in SNIPS singers and authors are."""
    for corpus in available():
        if isinstance(corpus, str):
            yield corpus
        elif corpus.name != "SNIPS":
            rows = tuple(row for row in corpus.rows if not _names_somebody(row))
            yield replace(corpus, rows=rows, excluded={**corpus.excluded, "names somebody": len(corpus.rows) - len(rows)})


def _names_somebody(row: Example) -> bool:
    return not set(_NAMED.get(row.answer, "").split()).isdisjoint(row.prompt.split())


def plantings() -> Iterator[tuple[Corpus, tuple[Kind, ...]] | str]:
    """Each corpus with all kinds, or the reason why it cannot be had here."""
    for corpus in available():
        yield corpus if isinstance(corpus, str) else (corpus, tuple(KINDS.values()))
