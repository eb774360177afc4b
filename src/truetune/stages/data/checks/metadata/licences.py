"""The rights to the data: rows whose licence forbids training, or this use, or says nothing that is known."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from truetune.core.records import Finding, RowRef, Severity, TaskProfile
from truetune.core.sensitive.masking import excerpt
from truetune.licences.expression import parse
from truetune.licences.terms import AS_OF
from truetune.stages.data.checks.base import DROPPED, RowCheck, Sightings
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row

TRAINING_CODE = "data.licence.forbids_training"
USE_CODE = "data.licence.forbids_use"
UNKNOWN_CODE = "data.licence.unknown"
CONDITIONS_CODE = "data.licence.conditions"

_NO_TRAINING = re.compile(
    r"\bno[\s_-]*(?:ai|ml|llm|training|machine[\s_-]*learning|generative[\s_-]*ai)\b"
    r"|\b(?:not|never)\b[^.;,]{0,40}\b(?:train|training|ai|ml|llm|machine[\s_-]*learning)\b"
    r"|\btraining\b[^.;,]{0,20}\b(?:prohibited|forbidden|excluded|disallowed|not[\s_-]*(?:allowed|permitted))\b"
    r"|\bai[\s_-]*opt[\s_-]*out\b",
    re.IGNORECASE,
)
"""No SPDX licence forbids training as such; people who forbid it say so in words. Source: ours; such words have no standard."""
_RESERVED = re.compile(r"\ball rights reserved\b", re.IGNORECASE)

_TRAINING_FIX = "leave these rows out (`truetune run` does), or get the right and correct `licence`"
_USE_FIX = "leave these rows out (`truetune run` does), or set base.commercial: false if the use is not commercial"
_UNKNOWN_FIX = "write the licence as an SPDX id (CC-BY-4.0, or LicenseRef-own for your own data)"
_CONDITIONS_FIX = "read the licence before you pass the tuned model on"


Licences = Sightings[str]


def _look(row: Row, _task: TaskProfile) -> str | None:
    return row.meta.licence


def _by_licence(corpus: Corpus, licences: Licences) -> dict[str, tuple[RowRef, ...]]:
    """The rows that would be trained on, by licence as written."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for position, licence in licences:
        found[licence].append(position)
    return {licence: corpus.refs(positions) for licence, positions in found.items()}


def _finding(code: str, severity: Severity, what: str, licence: str, rows: tuple[RowRef, ...], fix: str) -> Finding:
    counted = f"{len(rows)} rows" if len(rows) > 1 else "a row"
    return Finding(
        code=code,
        severity=severity,
        message=f"the licence of {counted}, {excerpt(licence)}, {what}",
        rows=rows,
        evidence={"licence": excerpt(licence), "rows": len(rows), "table_as_of": AS_OF},
        fix=fix,
    )


def _forbids_training(corpus: Corpus, licences: Licences) -> Iterable[Finding]:
    for licence, rows in _by_licence(corpus, licences).items():
        if _NO_TRAINING.search(licence):
            yield _finding(TRAINING_CODE, "block", "says that nobody may train on it", licence, rows, _TRAINING_FIX)
        elif _RESERVED.search(licence):
            yield _finding(TRAINING_CODE, "warn", "gives no right to train on it", licence, rows, _TRAINING_FIX)


def _forbids_use(corpus: Corpus, licences: Licences) -> Iterable[Finding]:
    for licence, rows in _by_licence(corpus, licences).items():
        _, terms = parse(licence)
        if terms.commercial_use is False:
            severity: Severity = "block" if corpus.commercial else "note"
            said = ", and the config says `commercial: true`" if corpus.commercial else ""
            yield _finding(USE_CODE, severity, f"does not allow commercial use{said}", licence, rows, _USE_FIX)


def _unknown(corpus: Corpus, licences: Licences) -> Iterable[Finding]:
    for licence, rows in _by_licence(corpus, licences).items():
        spdx, terms = parse(licence)
        if _NO_TRAINING.search(licence) or _RESERVED.search(licence) or _is_own(spdx) or terms.commercial_use is not None:
            continue
        what = "is not known to truetune" if spdx else "is not an SPDX licence"
        yield _finding(UNKNOWN_CODE, "note", what, licence, rows, _UNKNOWN_FIX)


def _is_own(spdx: str | None) -> bool:
    """A `LicenseRef-` is the owner's own name for terms that they know."""
    return spdx is not None and spdx.startswith("LicenseRef-")


def _conditions(corpus: Corpus, licences: Licences) -> Iterable[Finding]:
    for licence, rows in _by_licence(corpus, licences).items():
        spdx, terms = parse(licence)
        if terms.redistribution is False:
            what = "allows no derivatives, and whether a tuned model is one is not settled"
        elif spdx and re.search(r"-SA-|GPL|ODbL|CDLA-Sharing", spdx):
            what = "asks that what is derived from it be shared alike, and whether a tuned model is derived is not settled"
        else:
            continue
        yield _finding(CONDITIONS_CODE, "note", what, licence, rows, _CONDITIONS_FIX)


TRAINING = RowCheck(
    code=TRAINING_CODE,
    severity="block",
    claim="No row's licence forbids training on it.",
    fix=_TRAINING_FIX,
    look=_look,
    conclude=_forbids_training,
    ways=DROPPED,
)
USE = RowCheck(
    code=USE_CODE,
    severity="block",
    claim="No row's licence forbids the use that the config states.",
    fix=_USE_FIX,
    look=_look,
    conclude=_forbids_use,
    ways=DROPPED,
)
UNKNOWN = RowCheck(
    code=UNKNOWN_CODE,
    severity="note",
    claim="Every licence that is stated is one whose terms are known.",
    fix=_UNKNOWN_FIX,
    look=_look,
    conclude=_unknown,
)
CONDITIONS = RowCheck(
    code=CONDITIONS_CODE,
    severity="note",
    claim="What the rows' licences ask of whoever passes the model on is said.",
    fix=_CONDITIONS_FIX,
    look=_look,
    conclude=_conditions,
)
