"""The planter of bad metadata: what it says it planted is there, and clean rows share nothing with the held-out ones."""

from __future__ import annotations

import json
from dataclasses import replace

from benchmarks.faults.corpora import Corpus, Example
from benchmarks.faults.provenance import KINDS, LINE_FAULTS, ROW_FAULTS, plant

ROWS = tuple(Example(f"question {n} of many", "yes") for n in range(200))
CORPUS = Corpus("support-triage", "Answer.", ROWS[:160], ROWS[160:], {})


def test_each_kind_is_planted_as_often_as_asked_and_the_seed_decides_where() -> None:
    rows, sidecar = plant(CORPUS, 6, 3)
    planted = [fault.kind for fault in (*rows.faults, *sidecar.faults)]
    assert {kind: planted.count(kind) for kind in KINDS} == dict.fromkeys(KINDS, 6)
    assert plant(CORPUS, 6, 3) == (rows, sidecar)
    assert plant(CORPUS, 6, 4)[0].lines != rows.lines


def test_clean_rows_share_no_customer_and_no_conversation_with_held_out_rows_and_are_older() -> None:
    rows, _ = plant(CORPUS, 6, 3)
    clean = [json.loads(rows.lines[line - 1]) for line in rows.clean]
    held = [json.loads(line) for line in rows.held_out]
    for column in ("customer_id", "conversation_id"):
        assert not {row[column] for row in clean} & {row[column] for row in held}
    assert max(row["created_at"] for row in clean) < min(row["created_at"] for row in held)


def test_faulty_lines_and_clean_ones_are_all_the_lines() -> None:
    rows, sidecar = plant(replace(CORPUS, name="SNIPS"), 6, 5)
    for planted, kinds in ((rows, ROW_FAULTS), (sidecar, LINE_FAULTS)):
        faulty = [fault.line for fault in planted.faults]
        assert len(faulty) == len(set(faulty)) == 6 * len(kinds)
        assert set(faulty) | set(planted.clean) == set(range(1, len(planted.lines) + 1))


def test_contradicted_rows_say_another_source_than_their_line() -> None:
    rows, sidecar = plant(CORPUS, 6, 7)
    told = {}
    for line in sidecar.clean:
        record = json.loads(sidecar.lines[line - 1])
        told[record["id"]] = record["source"]
    for fault in rows.faults:
        record = json.loads(rows.lines[fault.line - 1])
        if fault.kind == "metadata, contradicted":
            assert told[record["id"]] != record["source"]
