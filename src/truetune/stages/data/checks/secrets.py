"""Keys, tokens and passwords."""

from __future__ import annotations

from collections.abc import Iterable

from truetune.core.records import Finding
from truetune.stages.data.checks.base import DROPPED, Check, Threshold
from truetune.stages.data.checks.pii import shown, sightings
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.sensitive import MIN_SECRET_ENTROPY_BITS, find_secrets

CODE = "data.secret"
_FIX = "revoke the key, then delete the row or replace the key by a placeholder (`truetune run` leaves the row out)"


def _find(corpus: Corpus) -> Iterable[Finding]:
    for positions, found in sightings(corpus, find_secrets):
        kinds = sorted({span.kind.replace("_", " ") for _, _, span in found})
        yield Finding(
            code=CODE,
            severity="block",
            message=f"{found[0][0]} holds what looks like a secret: {', '.join(kinds)}",
            rows=corpus.refs(positions),
            evidence={"kinds": list(kinds), "places": list(shown(found))},
            fix=_FIX,
        )


CHECK = Check(
    code=CODE,
    severity="block",
    claim="No row holds a key, token, private key or password.",
    fix=_FIX,
    find=_find,
    ways=DROPPED,
    thresholds=(
        Threshold("entropy of an assigned value, bits per character", MIN_SECRET_ENTROPY_BITS, "measured; see `sensitive`"),
    ),
)
