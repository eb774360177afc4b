"""The planters of whole files, projects, templates and sets: what they say they planted is there; sound ones have none of it."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest
from benchmarks.faults import files, projects, provenance, sets, templates
from benchmarks.faults.corpora import Corpus, Example, support_triage

SUPPORT = support_triage(held_out=60)
TOPICS = Corpus(
    "topics", "Name it.", tuple(Example(f"a question about {n % 5} and {n}", f"topic {n % 5}") for n in range(700)), (), {}
)


def test_planters_know_nothing_of_the_gate() -> None:
    modules = "files, lengths, projects, provenance, sets, sides, templates, personal"
    code = f"import sys\nfrom benchmarks.faults import {modules}\nprint([m for m in sys.modules if m.startswith('truetune')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_lines_that_are_said_to_be_in_another_encoding_are_and_no_others() -> None:
    planted = list(files.planted_files(SUPPORT, 4, 3))
    assert [one.kind for one in planted].count("") == 4
    for one in planted:
        if one.kind == "file, UTF-16":
            assert one.content[:2] in (b"\xff\xfe", b"\xfe\xff")
            assert one.content.decode("utf-16").count("\n") == files.FILE_ROWS
            continue
        lines = one.content.splitlines()
        broken = {n for n, line in enumerate(lines, 1) if not _is_utf8(line)}
        assert broken == set(one.lines)
        assert bool(one.lines) is bool(one.kind)
    assert [one.content for one in files.planted_files(SUPPORT, 4, 3)] == [one.content for one in planted]


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _customers(rows: list[projects.Record]) -> set[object]:
    return {row["customer_id"] for row in rows}


def test_a_sound_project_shares_no_customer_and_no_question_with_its_gold_set_and_its_new_rows() -> None:
    sound = next(one.project for one in projects.planted_projects(SUPPORT, 1, 3) if one.kind is None)
    sides = (sound.rows, sound.gold, sound.new)
    assert [len(side) for side in sides] == [projects.ROWS, projects.GOLD, projects.ADDED]
    for left, right in ((0, 1), (0, 2), (1, 2)):
        assert not _customers(sides[left]) & _customers(sides[right])
        assert not {projects._prompt(row) for row in sides[left]} & {projects._prompt(row) for row in sides[right]}


@pytest.mark.parametrize("seed", [3, 4])
def test_each_fault_of_a_project_is_there(seed: int) -> None:
    planted = {one.kind.name: one for one in projects.planted_projects(SUPPORT, 1, seed) if one.kind}
    test = [4, 5, 30, 31]
    later = {}
    for name, one in planted.items():
        if one.project.later:
            later[name] = one.project.later(random.Random(seed), one.project.rows, test, one.project.new)
    before = {name: one.project.rows for name, one in planted.items()}
    gone, changed, mates = (f"sealed test, {what}" for what in ("rows gone", "rows changed", "rows of its customers"))
    assert set(later) == {gone, changed, mates}
    missing = [n for n, row in enumerate(before[gone]) if row not in later[gone]]
    assert missing and set(missing) <= set(test)
    differ = [n for n, row in enumerate(before[changed]) if row != later[changed][n]]
    assert differ and set(differ) <= set(test)
    assert all(before[changed][n]["customer_id"] == later[changed][n]["customer_id"] for n in differ)
    added = later[mates][len(before[mates]) :]
    assert len(added) == projects.ADDED and _customers(added) & {before[mates][n]["customer_id"] for n in test}
    assert 5 <= len(planted["gold set, few items"].project.gold) <= 90
    near = planted["gold set, close to training"].project
    assert near.keeps_leaks and len(_customers(near.gold) & _customers(near.rows)) > 10
    used = [row["license"] for row in before["licence, not for commercial use"] if row["license"] not in projects._FREE]
    assert 1 <= len(used) <= 5


def test_each_spoiled_template_or_row_differs_from_a_sound_one_and_names_rows() -> None:
    for one in templates.planted_templates(SUPPORT, 6, 3):
        planting = one.planting
        sound = templates.Parts(planting.parts.style).source()
        if one.kind is None:
            assert planting.parts.source() == sound and not planting.named and planting.knows_all
            continue
        is_spoiled = planting.parts.source() != sound
        assert is_spoiled is (one.kind.code != "data.length.context" and planting.knows_all)
        assert planting.named and max(planting.named) <= len(planting.rows)
        if one.kind.code == "data.template.system":
            assert {n for n, row in enumerate(planting.rows, 1) if row[0]["role"] != "system"} == planting.named


def test_a_trained_tokenizer_writes_back_what_it_knows(tmp_path) -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="needs the extra `train`: pip install 'truetune[train]'")
    made = templates.Tokenizers(SUPPORT)
    planting = next(templates.planted_templates(SUPPORT, 1, 3)).planting
    for knows_all in (True, False):
        folder = tmp_path / str(knows_all)
        made.write(templates.replace(planting, knows_all=knows_all), folder)
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        for text in ("Where is my parcel?", "Wo ist es, ß?"):
            is_same = tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text
            assert is_same is (knows_all or text.isascii())
        assert json.loads((folder / "tokenizer_config.json").read_text())["eos_token"] == planting.parts.style.end


def test_a_set_of_one_topic_has_it_in_nearly_all_rows_and_a_mixed_set_has_rows_of_other_kinds() -> None:
    (topic,) = [kind for kind in sets.KINDS.values() if kind.code == "data.balance.topics"]
    rows = topic.make(random.Random(3), TOPICS.rows)
    answers = [row.answer for row in rows]
    assert 0.85 <= max(answers.count(answer) for answer in set(answers)) / len(rows) <= 0.95
    mixed = sets._mixed(random.Random(3), TOPICS.rows[:100], [Example("Write a poem.", "Roses are red.")] * 9)
    assert 3 <= sum(row.prompt == "Write a poem." for row in mixed) <= 8


def test_only_leaked_rows_come_from_a_feed_of_the_held_out_rows() -> None:
    planted = provenance.plant_sources(SUPPORT, 20, 3)
    held = {json.loads(line)["source"] for line in planted.held_out}
    leaked = {n for n, line in enumerate(planted.lines, 1) if json.loads(line)["source"] in held}
    assert leaked == {fault.line for fault in planted.faults} and len(leaked) == 20
    assert set(planted.clean) == set(range(1, len(planted.lines) + 1)) - leaked
