"""Personal data in a conversation, by entity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from truetune.core.records import Finding
from truetune.stages.data.checks.base import Check
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows import Row
from truetune.stages.data.sensitive import Span, find_pii, masked

_NAMES = {
    "email": "an e-mail address",
    "phone": "a telephone number",
    "iban": "a bank account number (IBAN, checksum holds)",
    "credit_card": "a payment card number (Luhn checksum holds)",
    "ssn": "a US social security number",
    "ip_address": "an IP address",
}
_FIX = "replace it by a placeholder such as [{}], or delete the row, unless the model has to learn it"

Place = tuple[str, str, Span]
"""Where (a turn, in words), the turn's text, and the span in it."""
T = TypeVar("T")


def places(row: Row, finder: Callable[[str], list[Span]]) -> Iterator[Place]:
    """Every find in a row's turns but the system prompt, which rows share."""
    for number, message in enumerate(row.messages, start=1):
        if message["role"] != "system":
            yield from ((f"turn {number} ({message['role']})", message["content"], span) for span in finder(message["content"]))
    if row.rejected is not None:
        yield from (("the rejected answer", row.rejected, span) for span in finder(row.rejected))


def shown(found: Sequence[Place]) -> list[str]:
    """Where each find stands and its first and last character, for evidence."""
    return [f"{where}, characters {span.start + 1}–{span.end}: {masked(text, span)}" for where, text, span in found[:8]]


def sightings(corpus: Corpus, finder: Callable[[str], list[Span]]) -> Iterator[tuple[list[int], list[Place]]]:
    """Positions and finds, row by row; then each system prompt once, with all rows that have it."""
    by_system: defaultdict[str, list[int]] = defaultdict(list)
    for position, row in enumerate(corpus.rows):
        found = list(places(row, finder))
        if found:
            yield [position], found
        if row.system:
            by_system[row.system].append(position)
    for system, positions in by_system.items():
        found = [("the system prompt", system, span) for span in finder(system)]
        if found:
            yield positions, found


def _find(corpus: Corpus) -> Iterable[Finding]:
    for positions, found in sightings(corpus, find_pii):
        by_entity: defaultdict[str, list[Place]] = defaultdict(list)
        for place in found:
            by_entity[place[2].kind].append(place)
        for entity, of_entity in by_entity.items():
            times = f", {len(of_entity)} times" if len(of_entity) > 1 else ""
            yield Finding(
                code=f"data.pii.{entity}",
                severity="warn",
                message=f"{of_entity[0][0]} holds {_NAMES[entity]}{times}",
                rows=corpus.refs(positions),
                evidence={"entity": entity, "places": list(shown(of_entity))},
                fix=_FIX.format(entity.upper()),
            )


CHECK = Check(
    code="data.pii.*",
    severity="warn",
    claim="No row holds personal data: e-mail, telephone, IBAN, payment card, US social security number, IP address.",
    fix=_FIX,
    find=_find,
    kinds=tuple(_NAMES),
)
