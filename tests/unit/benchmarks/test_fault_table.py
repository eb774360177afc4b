"""The table of the fault benchmark: what each check's row says, and that no part is missing without a word."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from benchmarks.faults import run
from benchmarks.faults.measured import CLEAN, TOGETHER, Alarms, Count, Recall, Section, from_json, misses, target
from benchmarks.faults.parts import PARTS
from benchmarks.faults.run import Outcome, rendered
from benchmarks.faults.tables import CORPORA_MIN, FAULTS_MIN, NOT_PLANTED, line_of, summary, summary_line

from truetune.stages.data.checks.registry import described

ONE = Section(
    "one, planted",
    "some rows",
    (Recall("data.secret", "key", "one", 60, 60, 0.95), Recall("data.record.role", "role", "one", 60, 59, 1.0)),
    (
        Alarms("data.record.role", CLEAN, "one", 200, 0.015, 4, 3, 0.01),
        Alarms("", TOGETHER, "one", 200, 0.015, 4, 3, 0.02),
    ),
    rows=300,
    cpu_s=1.5,
    more=("| more |",),
)
TWO = Section("two, planted", "other rows", (Recall("data.secret", "key", "two", 60, 58, 0.95),), ())


def test_a_check_has_its_lowest_recall_and_its_most_false_alarms() -> None:
    said = summary_line(line_of("data.secret", [ONE, TWO]))
    assert said == (
        "| `data.secret` | 1 | 120 | 2 | 0.967: key, two | 0.886 to 0.991 | 0.95 | 0 | 0.000 to 0.019 | "
        "0 of 200 in 3 plantings | 0.01 | met |"
    )
    role = summary_line(line_of("data.record.role", [ONE, TWO]))
    assert "0.983: role, one" in role
    assert "0.0150: one | 0.005 to 0.043 | 4 of 200 in 3 plantings" in role
    assert role.endswith("| **missed** |")


def test_what_a_sentence_model_found_stands_in_a_line_of_its_own() -> None:
    aided = replace(TWO, title="two, by meaning too", recalls=(Recall("data.secret", "key", "two", 60, 60, 0.95),), is_aided=True)
    lines = summary(["data.secret"], [ONE, TWO, aided]).splitlines()
    (alone,) = (line for line in lines if line.startswith("| `data.secret` |"))
    (by_meaning,) = (line for line in lines if line.startswith("| `data.secret`, with a sentence model |"))
    assert "0.967: key, two" in alone and "1.000" in by_meaning
    assert from_json(asdict(aided)) == aided


def test_one_corpus_and_few_faults_are_too_few() -> None:
    assert summary_line(line_of("data.secret", [ONE])).endswith("| **too few planted** |")
    few = replace(TWO, recalls=(Recall("data.secret", "key", "two", 40, 40, 0.95), Recall("data.secret", "key", "3", 9, 9, 0.95)))
    assert not line_of("data.secret", [few]).is_covered
    assert summary_line(line_of("data.encoding", [ONE])).endswith("| **too few planted** |")


def test_kinds_that_nothing_is_asked_of_do_not_count_as_planted() -> None:
    beyond = Section(
        "x", "y", (Recall("data.secret", "hidden", "a", 99, 0, None), Recall("data.secret", "key", "b", 60, 60, 0.95))
    )
    line = line_of("data.secret", [beyond])
    assert (line.faults, line.corpora, line.is_missed) == (60, 1, False)


def test_targets_are_those_that_are_asked_for() -> None:
    assert target("data.record.empty", "preference, empty side") == target("data.duplicate.exact", "any") == 1.0
    assert target("data.contradiction", "contradiction") == 0.9
    assert target("data.leakage.split", "leak, near") == 0.95
    assert target("data.record.boilerplate", "answer, refusal in free wording") is None


def test_a_count_too_far_from_the_truth_is_missed() -> None:
    far, near = (Count("data.duplicate.paraphrase", "q", 100, 50, fewest, 60, 0.2) for fewest in (39, 41))
    assert misses(replace(ONE, recalls=(), alarms=(), counts=(far, near))) == ["q: 39 questions are counted, 50 there are"]


def test_figures_are_read_as_they_were_written() -> None:
    outcomes = {"rows": Outcome(60, 3, (ONE, TWO), ("skipped: x",))}
    assert run._outcome(run.json.loads(run.written(outcomes))["rows"]) == outcomes["rows"]
    assert from_json(run.asdict(ONE)) == ONE


def test_a_page_says_which_parts_it_lacks_and_which_failed() -> None:
    page = rendered({"rows": Outcome(60, 3, (ONE,)), "labels": Outcome(60, 3, (), failed="the part ended with 1: no\ntrace")})
    said = page[page.index("## What is not measured") : page.index("## Every check")]
    assert "- labels: the part ended with 1: no\n" in said
    assert all(f"- {name}: not in these figures" in said for name in PARTS if name not in ("rows", "labels"))
    assert "- rows" not in said


def test_a_part_that_fails_takes_no_other_with_it(monkeypatch, capsys) -> None:
    failed = Outcome(60, 3, (), failed="the part ended with 9: killed")
    monkeypatch.setattr(run, "_apart", lambda name, *_: failed if name == "rows" else Outcome(60, 3, (TWO,)))
    assert run.main(["--only", "rows", "labels"]) == 1
    said = capsys.readouterr().out
    assert "rows failed" in said
    assert "### two, planted" in said


def test_measuring_one_part_leaves_the_others_as_they_were(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(run, "FIGURES", tmp_path / "t.json")
    monkeypatch.setattr(run, "TABLE", tmp_path / "t.md")
    monkeypatch.setattr(run, "_apart", lambda name, *_: Outcome(60, 3, (replace(TWO, title=name),)))
    assert run.main(["--write"]) == 0
    monkeypatch.setattr(run, "_apart", lambda name, *_: Outcome(60, 4, (replace(TWO, title="anew"),)))
    assert run.main(["--only", "labels", "--write"]) == 0
    titles = {name: outcome.sections[0].title for name, outcome in run.read().items()}
    assert titles == {name: "anew" if name == "labels" else name for name in PARTS}
    assert "not in these figures" not in (tmp_path / "t.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", [code for code in described() if code not in NOT_PLANTED])
def test_every_check_has_faults_enough_in_the_figures(code: str) -> None:
    sections = [section for outcome in run.read().values() for section in outcome.sections]
    line = line_of(code, sections)
    said = (
        f"{line.faults} faults in {line.corpora} corpora; {FAULTS_MIN} in {CORPORA_MIN} are asked of every check: plant some in"
    )
    assert line.is_covered, f"{said} benchmarks/faults/, then `python -m benchmarks.faults.run --only PART --write`"


def test_what_is_not_planted_is_a_check_and_says_why() -> None:
    assert set(NOT_PLANTED) <= set(described())
    assert all(len(reason.split()) > 5 for reason in NOT_PLANTED.values())


def test_the_page_is_what_the_figures_say() -> None:
    assert run.TABLE.read_text(encoding="utf-8") == rendered(run.read()), "python -m benchmarks.faults.run --page"
