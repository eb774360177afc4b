"""The planter of contradicting answers and of wrong labels plants what it says it does."""

from __future__ import annotations

import json
import random

import pytest
from benchmarks.faults import labels, rewording, substance
from benchmarks.faults.corpora import support_triage
from benchmarks.faults.substance import Pair, Source

ANSWER = "Yes, the hall in Leeds is open before 12 May, from Monday on, for 1200 people, but do not bring 3 dogs."


def test_every_edit_of_a_kind_changes_the_answer_and_every_rewording_keeps_its_figures() -> None:
    for kind, edit in rewording.FAULTS.items():
        changed = edit(random.Random(1), ANSWER)
        assert changed not in (None, ANSWER), kind
    assert rewording.SAME["number in another form"](random.Random(2), "for 1200 people") == "for 1,200 people"
    assert rewording.SAME["contraction"](random.Random(1), "do not come") == "don't come"
    longer = rewording.SAME["more detail"](random.Random(1), ANSWER)
    assert longer is not None and longer.startswith(ANSWER)


def test_the_handwritten_questions_have_answers_that_differ_and_no_question_is_in_two_parts() -> None:
    sources = [substance.handwritten(part) for part in (*substance.BY_HAND, *substance.BY_OTHERS)]
    assert all(pair.first != pair.second for source in sources for pair in source.pairs)
    questions = [question for source in sources for question in {pair.question for pair in source.pairs}]
    assert len(questions) == len(set(questions))
    assert {pair.kind for pair in sources[0].pairs} >= {"", "number", "date", "yes/no", "negation", "name", "opposite", "order"}


def test_each_pair_is_planted_once_under_one_system_prompt_of_its_own() -> None:
    source = Source("small", (Pair("Q?", "a", "b", "number", "x"), Pair("Q?", "a", "a!", "", "y")), (), "small")
    planted, pair_of = substance.planted(source, 3)
    rows = [json.loads(line)["messages"] for line in planted.lines]
    assert sorted(pair.kind for pair in pair_of.values()) == ["", "number"]
    for line, pair in pair_of.items():
        system = rows[line - 1][0]["content"]
        assert sorted(r[2]["content"] for r in rows if r[0]["content"] == system) == sorted([pair.first, pair.second])
    assert [fault.code for fault in planted.faults if fault.kind.startswith("number")] == ["data.contradiction"]


@pytest.mark.parametrize("kind", ["any other label", "the most similar label"])
def test_a_share_of_the_labels_is_wrong_and_all_others_are_as_they_were(kind: str) -> None:
    corpus = support_triage(held_out=0)
    noisy = labels.spoil(corpus, "queue", 0.1, kind, 5)
    right = {example.prompt: json.loads(example.answer) for example in corpus.rows}
    assert len(noisy.wrong) == int(0.1 * len(corpus.rows))
    for number, line in enumerate(noisy.lines, 1):
        turns = json.loads(line)["messages"]
        answer, own = json.loads(turns[2]["content"]), right[turns[1]["content"]]
        assert (answer["queue"] != own["queue"]) == (number in noisy.wrong)
        assert answer["priority"] == own["priority"]
    assert labels.spoil(corpus, "queue", 0.1, kind, 5) == noisy
