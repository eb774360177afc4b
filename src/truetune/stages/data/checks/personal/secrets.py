"""Keys, tokens and passwords."""

from __future__ import annotations

from collections.abc import Iterable

from truetune.core.records import Finding, TaskProfile
from truetune.core.sensitive.secrets import MIN_SECRET_ENTROPY_BITS, find_secrets
from truetune.stages.data.checks.base import DROPPED_OR_REDACTED, RowCheck, Sightings, Threshold
from truetune.stages.data.checks.personal.pii import Sensitive, look_with, sightings_with_systems
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row

CODE = "data.secret"
_FIX = "revoke the key, then delete the row or replace the key by a placeholder (`truetune run` leaves the row out)"


def _look(row: Row, _: TaskProfile) -> tuple[Sensitive, ...] | None:
    return look_with(find_secrets, row)


def _conclude(corpus: Corpus, seen: Sightings[tuple[Sensitive, ...]]) -> Iterable[Finding]:
    for positions, found in sightings_with_systems(corpus, find_secrets, seen):
        kinds = sorted({secret.kind.replace("_", " ") for secret in found})
        yield Finding(
            code=CODE,
            severity="block",
            message=f"{found[0].where} holds what looks like a secret: {', '.join(kinds)}",
            rows=corpus.refs(positions),
            evidence={"kinds": list(kinds), "places": [place for secret in found for place in secret.shown][:8]},
            fix=_FIX,
        )


CHECK = RowCheck(
    code=CODE,
    severity="block",
    claim="No row holds a key, token, private key or password.",
    fix=_FIX,
    look=_look,
    conclude=_conclude,
    ways=DROPPED_OR_REDACTED,
    thresholds=(
        Threshold("entropy of an assigned value, bits per character", MIN_SECRET_ENTROPY_BITS, "measured; see `sensitive`"),
    ),
)
