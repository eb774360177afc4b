"""All checks: those that need nothing but the rows, in the order in which they run; and those of the tokenised rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from truetune.core.config import CheckChoices
from truetune.core.ports import Progress, RowEngine
from truetune.core.records import Finding
from truetune.stages.data.checks import contradictions, label_noise
from truetune.stages.data.checks.balance import constant as balance_constant
from truetune.stages.data.checks.balance import labels as balance_labels
from truetune.stages.data.checks.balance import language as balance_language
from truetune.stages.data.checks.balance import length as balance_length
from truetune.stages.data.checks.balance import off_task as balance_off_task
from truetune.stages.data.checks.balance import openings, sizing
from truetune.stages.data.checks.balance import topics as balance_topics
from truetune.stages.data.checks.base import NEVER_A_ROW, NO_ROWS, Check, Described, RowCheck
from truetune.stages.data.checks.duplicates import exact as exact_duplicates
from truetune.stages.data.checks.duplicates import near as near_duplicates
from truetune.stages.data.checks.duplicates import rephrasings
from truetune.stages.data.checks.leaks import answer as answer_leaks
from truetune.stages.data.checks.leaks import columns as column_leaks
from truetune.stages.data.checks.leaks import frozen as frozen_split
from truetune.stages.data.checks.leaks import gold_distance
from truetune.stages.data.checks.leaks import held_out as held_out_leaks
from truetune.stages.data.checks.leaks import splits as split_leaks
from truetune.stages.data.checks.leaks import time as time_leaks
from truetune.stages.data.checks.metadata import fields as metadata
from truetune.stages.data.checks.metadata import licences
from truetune.stages.data.checks.personal import declared_pii, do_not_train, pii, secrets
from truetune.stages.data.checks.personal import names as pii_names
from truetune.stages.data.checks.preferences import agreement as preference_agreement
from truetune.stages.data.checks.preferences import graph as preference_graph
from truetune.stages.data.checks.preferences import pairs as preferences
from truetune.stages.data.checks.preferences import refusals as preference_refusals
from truetune.stages.data.checks.preferences import style as preference_style
from truetune.stages.data.checks.records import (
    boilerplate,
    empty,
    encoding,
    encoding_damage,
    malformed,
    roles,
    schema,
    truncated,
    types,
)
from truetune.stages.data.checks.template import context_length, injected_system, mask, mask_boundary, rendering, roundtrip
from truetune.stages.data.checks.template.base import TemplateCheck, TemplateNotice
from truetune.stages.data.checks.triplets import false_negatives, triplets
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.one_pass import IN_PROCESS, look_at_rows

ALL: tuple[Check | RowCheck[object], ...] = (
    malformed.CHECK,
    types.CHECK,
    roles.CHECK,
    empty.CHECK,
    encoding.CHECK,
    encoding_damage.MOJIBAKE,
    encoding_damage.CONTROL,
    metadata.MALFORMED,
    metadata.UNKNOWN,
    metadata.REPEATED,
    metadata.CONFLICT,
    metadata.VALUE,
    truncated.CHECK,
    boilerplate.CHECK,
    schema.CHECK,
    preferences.SAME,
    preferences.PROMPT,
    preference_graph.FLIPPED,
    preference_graph.CYCLE,
    preference_graph.LENGTH,
    preference_style.CHECK,
    preference_refusals.CHECK,
    preference_agreement.CHECK,
    triplets.POSITIVE,
    triplets.NEGATIVE,
    false_negatives.CHECK,
    secrets.CHECK,
    pii.CHECK,
    pii_names.CHECK,
    declared_pii.CHECK,
    do_not_train.CHECK,
    licences.TRAINING,
    licences.USE,
    licences.UNKNOWN,
    licences.CONDITIONS,
    exact_duplicates.CHECK,
    near_duplicates.CHECK,
    rephrasings.CHECK,
    contradictions.CHECK,
    label_noise.CHECK,
    split_leaks.CHECK,
    held_out_leaks.CHECK,
    column_leaks.GROUP,
    column_leaks.CONVERSATION,
    column_leaks.SOURCE,
    time_leaks.CHECK,
    answer_leaks.CHECK,
    balance_labels.CHECK,
    balance_constant.CHECK,
    balance_length.CHECK,
    balance_language.CHECK,
    openings.CHECK,
    balance_topics.CHECK,
    balance_off_task.CHECK,
    sizing.LITTLE,
    sizing.MUCH,
)

TEMPLATE: tuple[TemplateCheck, ...] = (context_length.CHECK, mask.CHECK, roundtrip.CHECK)
NOTICES: tuple[TemplateNotice, ...] = (injected_system.CHECK, mask_boundary.CHECK)


@cache
def described() -> Mapping[str, Described]:
    """Every code that a finding of the data gate can have, in the order of the checks."""
    of_rows = [Described(code, c.severity, c.claim, c.ways, c.thresholds) for c in ALL for code in c.codes]
    of_tokens = [Described(c.code, "block", c.claim, NEVER_A_ROW) for c in TEMPLATE]
    rendered = (rendering.PREFIX, rendering.GENERATION, rendering.REFUSED)
    of_the_template = [Described(c.code, c.severity, c.claim, NO_ROWS) for c in NOTICES]
    of_the_sides = (frozen_split.CHANGED, frozen_split.MATES, gold_distance.NEAR, gold_distance.SIZE)
    return {d.code: d for d in (*of_rows, *rendered, *of_tokens, *of_the_template, *of_the_sides)}


def choices() -> Mapping[str, CheckChoices]:
    """What the config may say about each code."""
    return {code: d.ways.choices for code, d in described().items()}


def run_checks(corpus: Corpus, progress: Progress, engine: RowEngine = IN_PROCESS) -> list[Finding]:
    """The findings of every check, sorted by file and line; `engine` does the work of the row checks."""
    sightings = look_at_rows(corpus, [check.look for check in ALL if isinstance(check, RowCheck)], progress, engine)
    found: list[Finding] = []
    for number, check in enumerate(ALL):
        progress.update(number, len(ALL), check.code)
        found.extend(check.conclude(corpus, sightings[check.look]) if isinstance(check, RowCheck) else check.find(corpus))
    progress.update(len(ALL), len(ALL), f"{len(found)} findings")
    return in_order(found)


def in_order(findings: list[Finding]) -> list[Finding]:
    """By file, line, then code."""
    return sorted(
        findings, key=lambda f: (f.rows[0].file if f.rows else "", f.rows[0].line if f.rows else 0, f.code, len(f.rows))
    )
