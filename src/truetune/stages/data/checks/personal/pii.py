"""Personal data in a conversation, by entity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from truetune.core.records import Finding, TaskProfile
from truetune.core.sensitive.masking import masked
from truetune.core.sensitive.personal import find_pii
from truetune.core.sensitive.spans import Span
from truetune.stages.data.checks.base import KEPT_OR_REDACTED, RowCheck, Sightings
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row

_NAMES = {
    "email": "an e-mail address",
    "phone": "a telephone number",
    "iban": "a bank account number (IBAN, checksum holds)",
    "credit_card": "a payment card number (Luhn checksum holds)",
    "ssn": "a US social security number",
    "ip_address": "an IP address",
    "itin": "a US taxpayer number (ITIN)",
    "uk_nino": "a UK national insurance number",
    "de_tax_id": "a German tax number (check digit holds)",
    "mac_address": "a network adapter's address (MAC)",
    "crypto_address": "a cryptocurrency address",
    "vin": "a vehicle number (VIN, check digit holds)",
}
_FIX = "data.checks: policy redact puts [{}_1] in its place; or delete the row, unless the model has to learn it"

Place = tuple[str, str, Span]
"""Where (a turn, in words), the turn's text, and the span in it."""


@dataclass(frozen=True, slots=True)
class Sensitive:
    """One kind of sensitive thing in one text or row: where it stands first, how often, and what may be shown of it."""

    kind: str
    where: str
    times: int
    shown: tuple[str, ...]


def look_with(finder: Callable[[str], list[Span]], row: Row) -> tuple[Sensitive, ...] | None:
    """What a finder finds in a row's turns but the system prompt, which rows share, by kind; None for nothing."""
    return _by_kind(list(_places(row, finder))) or None


def sightings_with_systems(
    corpus: Corpus, finder: Callable[[str], list[Span]], seen: Sightings[tuple[Sensitive, ...]]
) -> Iterator[tuple[Sequence[int], tuple[Sensitive, ...]]]:
    """Positions and finds, row by row; then each system prompt once, with all rows that have it."""
    for position, found in seen:
        yield [position], found
    for system, positions in corpus.rows_by_system():
        in_system = _by_kind([("the system prompt", system, span) for span in finder(system)])
        if in_system:
            yield positions, in_system


def _places(row: Row, finder: Callable[[str], list[Span]]) -> Iterator[Place]:
    for number, message in enumerate(row.messages, start=1):
        if message["role"] != "system":
            for span in finder(message["content"]):
                yield f"turn {number} ({message['role']})", message["content"], span
    if row.rejected is not None:
        yield from (("the rejected answer", row.rejected, span) for span in finder(row.rejected))


def _by_kind(found: Sequence[Place]) -> tuple[Sensitive, ...]:
    kinds: defaultdict[str, list[Place]] = defaultdict(list)
    for place in found:
        kinds[place[2].kind].append(place)
    return tuple(Sensitive(kind, of_kind[0][0], len(of_kind), _shown(of_kind)) for kind, of_kind in kinds.items())


def _shown(found: Sequence[Place]) -> tuple[str, ...]:
    """Where each find stands and its first and last character, for evidence."""
    return tuple(f"{where}, characters {span.start + 1}–{span.end}: {masked(text, span)}" for where, text, span in found[:8])


def _look(row: Row, _: TaskProfile) -> tuple[Sensitive, ...] | None:
    return look_with(find_pii, row)


def _conclude(corpus: Corpus, seen: Sightings[tuple[Sensitive, ...]]) -> Iterable[Finding]:
    for positions, found in sightings_with_systems(corpus, find_pii, seen):
        for entity in found:
            times = f", {entity.times} times" if entity.times > 1 else ""
            yield Finding(
                code=f"data.pii.{entity.kind}",
                severity="warn",
                message=f"{entity.where} holds {_NAMES[entity.kind]}{times}",
                rows=corpus.refs(positions),
                evidence={"entity": entity.kind, "places": list(entity.shown)},
                fix=_FIX.format(entity.kind.upper()),
            )


CHECK = RowCheck(
    code="data.pii.*",
    severity="warn",
    claim=f"No row holds personal data: {', '.join(_NAMES.values())}.",
    fix=_FIX,
    look=_look,
    conclude=_conclude,
    kinds=tuple(_NAMES),
    ways=KEPT_OR_REDACTED,
)
