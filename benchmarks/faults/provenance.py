"""Faults of what is known of rows beside their words: leaks by customer, conversation and time, licences, and bad sidecars.

Each corpus is dressed with columns of its own: customers with a few rows each, conversations, times, ids, and a `metadata.jsonl`.
Training and held-out rows share no customer and no conversation, and the held-out rows are the newer ones, until a fault is
planted.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.faults import breakage
from benchmarks.faults.corpora import Corpus, Example, available
from benchmarks.faults.plant import Fault, Planted

SHARE = 0.03
"""Of a corpus's rows, so many carry a fault of one kind in one planting."""

START = datetime(2025, 3, 1, tzinfo=UTC)
TRAINING_DAYS, HELD_OUT_DAYS = 300, 60

Cells = dict[str, object]


@dataclass(frozen=True)
class Dress:
    """What a corpus calls its columns, and how it writes a time."""

    customer: str
    conversation: str
    time: str
    write: Callable[[datetime], object]


DRESSES = {
    "support-triage": Dress("customer_id", "conversation_id", "created_at", lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ")),
    "SNIPS": Dress("user_id", "session_id", "timestamp", lambda t: int(t.timestamp())),
    "CLINC150": Dress("account_id", "thread_id", "date", lambda t: t.strftime("%a, %d %b %Y %H:%M:%S +0000")),
}

FORBIDDEN = (
    "No AI training",
    "Not for training purposes",
    "CC-BY-4.0, but do not train on this",
    "may not be used to train models",
    "AI training prohibited",
    "noai",
    "never to be used for machine learning",
)
RESERVED = ("All rights reserved", "(c) 2024 Heron Press, all rights reserved", "Copyright Fernhollow. All Rights Reserved.")
UNKNOWN = ("see the website", "Custom Terms v2", "free for now", "ask Ada", "Heron Data Agreement 3", "n/a", "open")
SHARED_ALIKE = ("CC-BY-SA-4.0", "GPL-3.0-only", "CC-BY-ND-4.0", "ODbL-1.0", "AGPL-3.0-or-later", "cc-by-sa-3.0", "LGPL-2.1-only")
ALLOWED = ("CC-BY-4.0", "apache-2.0", "CC0-1.0", "MIT", None)
UNREADABLE = ("yesterday", "03/04/2025", "n/a", "2025-13-45", "Q3")


@dataclass
class _Row:
    """A row in the making: its example, its cells, its line of the sidecar (None: it has none), and its fault."""

    example: Example
    cells: Cells
    told: Cells | None
    fault: tuple[str, str] | None = None


Spoil = Callable[[random.Random, _Row, Dress, list[_Row]], None]


def _held_out_customer(rng: random.Random, row: _Row, dress: Dress, held: list[_Row]) -> None:
    row.cells[dress.customer] = rng.choice(held).cells[dress.customer]


def _held_out_conversation(rng: random.Random, row: _Row, dress: Dress, held: list[_Row]) -> None:
    row.cells[dress.conversation] = rng.choice(held).cells[dress.conversation]


def _newer(rng: random.Random, row: _Row, dress: Dress, _held: list[_Row]) -> None:
    row.cells[dress.time] = dress.write(START + timedelta(days=TRAINING_DAYS + HELD_OUT_DAYS + rng.uniform(1, 90)))


def _no_time(rng: random.Random, row: _Row, dress: Dress, _held: list[_Row]) -> None:
    row.cells[dress.time] = rng.choice(UNREADABLE)


def _forbidden(rng: random.Random, row: _Row, _dress: Dress, _held: list[_Row]) -> None:
    row.cells["license"] = rng.choice(FORBIDDEN)


def _licensed(licences: tuple[str, ...]) -> Spoil:
    def spoil(rng: random.Random, row: _Row, _dress: Dress, _held: list[_Row]) -> None:
        row.cells["license"] = rng.choice(licences)

    return spoil


def _personal(rng: random.Random, row: _Row, _dress: Dress, _held: list[_Row]) -> None:
    row.cells["contains_pii"] = rng.choice((True, "true", "yes", 1))


def _contradicted(rng: random.Random, row: _Row, _dress: Dress, _held: list[_Row]) -> None:
    row.cells["source"] = rng.choice(("forum", "phone"))
    row.told = {"id": row.cells["id"], "source": "crm"}


ROW_FAULTS: dict[str, tuple[str, Spoil]] = {
    "leak, customer": ("data.leakage.group", _held_out_customer),
    "leak, conversation": ("data.leakage.conversation", _held_out_conversation),
    "leak, time": ("data.leakage.time", _newer),
    "metadata, unreadable time": ("data.metadata.value", _no_time),
    "metadata, contradicted": ("data.metadata.conflict", _contradicted),
    "licence, forbids training": ("data.licence.forbids_training", _forbidden),
    "licence, all rights reserved": ("data.licence.forbids_training", _licensed(RESERVED)),
    "licence, not known": ("data.licence.unknown", _licensed(UNKNOWN)),
    "licence, to be shared alike or unchanged": ("data.licence.conditions", _licensed(SHARED_ALIKE)),
    "pii, declared": ("data.pii.declared", _personal),
}


def _broken_line(rng: random.Random, row: _Row) -> str:
    line = json.dumps(row.told)
    return rng.choice((line[: len(line) // 2], line.replace('"id"', "id"), f"[{line}]", json.dumps({"source": "crm"}), '"crm"'))


def _stranger(rng: random.Random, row: _Row) -> str:
    return json.dumps({**(row.told or {}), "id": f"gone-{rng.randrange(10**6)}"})


def _again(_rng: random.Random, row: _Row) -> str:
    return json.dumps({"id": row.cells["id"], "reviewed_by": "somebody else"})


LINE_FAULTS: dict[str, tuple[str, Callable[[random.Random, _Row], str]]] = {
    "sidecar, broken line": ("data.metadata.malformed", _broken_line),
    "sidecar, id of no row": ("data.metadata.unknown_id", _stranger),
    "sidecar, id again": ("data.metadata.duplicate_id", _again),
}
KINDS = (*ROW_FAULTS, *LINE_FAULTS)
"""Every kind that is planted."""
NOTED = frozenset({"data.licence.unknown", "data.licence.conditions"})
"""Of these a note is all that is ever said."""
SOURCE = "leak, source"
FEEDS, HELD_OUT_FEEDS = 40, 8


def plantings() -> Iterator[Corpus | str]:
    """Each corpus, or the reason why it cannot be had here."""
    return available()


def plant(corpus: Corpus, each: int, seed: int) -> tuple[Planted, Planted]:
    """That many faults of each kind; the rows with their truth, and the lines of the sidecar with theirs."""
    rng = random.Random(seed)
    dress = DRESSES[corpus.name]
    held = _dressed(rng, corpus.held_out, dress, "h", TRAINING_DAYS, HELD_OUT_DAYS)
    rows = _dressed(rng, corpus.rows, dress, "r", 0, TRAINING_DAYS)
    rng.shuffle(rows)
    free = iter(rows)
    for kind, (code, spoil) in ROW_FAULTS.items():
        for row in (next(free) for _ in range(each)):
            spoil(rng, row, dress, held)
            row.fault = (kind, code)
    lines = _sidecar(rng, rows, free, each)
    rng.shuffle(rows)
    system = corpus.system
    held_lines = tuple(_line(system, row) for row in held)
    made = Planted(
        tuple(_line(system, row) for row in rows),
        held_lines,
        tuple(Fault(row.fault[0], row.fault[1], n) for n, row in enumerate(rows, 1) if row.fault),
        {n: row.example for n, row in enumerate(rows, 1) if not row.fault},
        {},
    )
    return made, lines


def plant_sources(corpus: Corpus, each: int, seed: int) -> Planted:
    """So many rows from feeds that the held-out rows are from; all others are from feeds of their own."""
    rng = random.Random(seed)
    held = [f"feed-{n}" for n in range(FEEDS, FEEDS + HELD_OUT_FEEDS)]
    rows = rng.sample(corpus.rows, len(corpus.rows))
    leaked = set(rng.sample(range(len(rows)), each))
    own = [rng.choice(held) if n in leaked else f"feed-{rng.randrange(FEEDS)}" for n in range(len(rows))]
    return Planted(
        tuple(_from_feed(corpus, row, feed) for row, feed in zip(rows, own, strict=True)),
        tuple(_from_feed(corpus, row, rng.choice(held)) for row in corpus.held_out),
        tuple(Fault(SOURCE, "data.leakage.source", n + 1) for n in sorted(leaked)),
        {n: row for n, row in enumerate(rows, 1) if n - 1 not in leaked},
        {},
    )


def _from_feed(corpus: Corpus, row: Example, feed: str) -> str:
    turns = breakage.turns(corpus.system, row.prompt, row.answer)
    return json.dumps({"source": feed, **json.loads(breakage.as_text(turns))}, ensure_ascii=False)


def _dressed(
    rng: random.Random, examples: tuple[Example, ...], dress: Dress, prefix: str, from_day: int, days: int
) -> list[_Row]:
    rows: list[_Row] = []
    customer = 0
    while len(rows) < len(examples):
        customer += 1
        for _ in range(min(rng.randint(1, 4), len(examples) - len(rows))):
            number = len(rows)
            moment = START + timedelta(days=from_day + rng.uniform(0, days))
            cells: Cells = {
                "id": f"{prefix}{number}",
                dress.customer: f"{prefix}-customer-{customer}",
                dress.conversation: f"{prefix}-talk-{customer}-{rng.randint(1, 2)}",
                dress.time: dress.write(moment),
            }
            if licence := rng.choice(ALLOWED):
                cells["license"] = licence
            told = {"id": cells["id"], "source": "crm", "reviewed_by": rng.choice(("Ada", "Bela"))} if prefix == "r" else None
            rows.append(_Row(examples[number], cells, told))
    return rows


def _sidecar(rng: random.Random, rows: list[_Row], free: Iterator[_Row], each: int) -> Planted:
    """A line for most rows, and the faulty ones among them."""
    lines = [(json.dumps(row.told), None, row) for row in rows if row.told is not None]
    spoiled: list[tuple[str, str, str, _Row]] = []
    for kind, (code, spoil) in LINE_FAULTS.items():
        for row in (next(free) for _ in range(each)):
            spoiled.append((spoil(rng, row), kind, code, row))
    replaced = {id(row) for _, kind, _, row in spoiled if kind == "sidecar, broken line"}
    sound = [(text, row) for text, _, row in lines if id(row) not in replaced]
    rng.shuffle(sound)
    # An id that stands again must stand after the line that counts.
    texts = [text for text, _ in sound] + [text for text, *_ in spoiled]
    faults = tuple(Fault(kind, code, len(sound) + n) for n, (_, kind, code, _) in enumerate(spoiled, 1))
    again = {id(row) for _, kind, _, row in spoiled if kind == "sidecar, id again"}
    excused: dict[int, tuple[str, ...]] = {
        n: ("data.metadata.duplicate_id",) for n, (_, row) in enumerate(sound, 1) if id(row) in again
    }
    contradicted = [n for n, (_, row) in enumerate(sound, 1) if row.fault and row.fault[0] == "metadata, contradicted"]
    excused |= dict.fromkeys(contradicted, ("data.metadata.conflict",))
    return Planted(tuple(texts), (), faults, {n: row.example for n, (_, row) in enumerate(sound, 1)}, excused)


def _line(system: str, row: _Row) -> str:
    turns = breakage.turns(system, row.example.prompt, row.example.answer)
    record: Mapping[str, object] = {**row.cells, **json.loads(breakage.as_text(turns))}
    return json.dumps(record, ensure_ascii=False)
