"""Each check: what it finds, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.stages.data.rows_for_tests import (
    LONG,
    Silent,
    check_rows,
    distinct_prompts,
    found,
    labelled,
    lines_of,
    record,
    write_lines,
)

from truetune.core.records import CheckReport
from truetune.stages.data.check import run_check
from truetune.stages.data.checks.contradictions import open_questions


def with_rows(tmp_path: Path, *extra: dict[str, object], clean: int = 40) -> CheckReport:
    """The report over clean rows followed by others; the first other row is line `clean + 1`."""
    return check_rows(tmp_path, [*labelled(clean), *extra])


def test_clean_rows_have_no_finding(tmp_path: Path) -> None:
    report = with_rows(tmp_path, clean=200)
    assert report.findings == ()
    assert report.gate == "passed"
    assert (report.stats.rows, report.stats.kept, report.stats.effective_unique) == (200, 200, 200)


# --- records ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"messages": "text"}, "list of turns"),
        ({"messages": []}, "no turn"),
        ({"messages": ["text"]}, "must be an object"),
        ({"messages": [{"role": "user"}]}, "'content' is missing"),
        ({"messages": [{"content": "x"}]}, "'role' is missing"),
        ({"messages": [{"role": 1, "content": "x"}]}, "'role' must be text"),
        ({"messages": [{"role": "user", "content": None}]}, "null"),
        ({"messages": [{"role": "user", "content": 4}]}, "a number"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]}, "only text is read"),
        ([1, 2], "a row must be an object"),
        ("text", "a row must be an object"),
        (None, "a row must be an object"),
    ],
)
def test_wrong_types(tmp_path: Path, row: object, said: str) -> None:
    report = check_rows(tmp_path, [*labelled(10), row])
    (finding,) = report.findings
    assert (finding.code, finding.severity, finding.rows[0].line) == ("data.record.type", "block", 11)
    assert said in finding.message


def test_the_faulty_side_of_a_pair_is_shown(tmp_path: Path) -> None:
    pair = {
        "conversations": [{"from": "human", "value": "where is it"}],
        "chosen": 5,
        "rejected": {"from": "gpt", "value": "gone"},
    }
    (finding, *_) = check_rows(tmp_path, [pair]).findings
    assert '"chosen": 5' in str(finding.evidence["text"])


def test_a_faulty_conversation_is_shown_turn_by_turn_and_masked(tmp_path: Path) -> None:
    turns = [
        {"role": "system", "content": "be brief " * 60},
        {"content": "to jane.roe@example.com"},
        {"role": 7, "content": {"a": 1}},
    ]
    (finding,) = check_rows(tmp_path, [*labelled(10), {"messages": turns}]).findings
    system, missing, number = str(finding.evidence["text"]).split(" · ")
    assert system.startswith("system: be brief") and len(system) < 40
    assert missing.startswith("(missing): to ") and "jane.roe" not in missing
    assert number == '7: {"a": 1}'


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (["user"], "does not end with an assistant"),
        (["assistant", "user"], "starts with the assistant"),
        (["user", "user", "assistant"], "two user turns"),
        (["user", "assistant", "assistant"], "two assistant turns"),
        (["user", "system", "assistant"], "only the first"),
        (["human", "assistant"], "did you mean 'user'"),
        (["user", "tool"], "a tool turn follows a user turn"),
        (["user", "critic"], "unknown role"),
        (["system"], "only a system turn"),
    ],
)
def test_wrong_roles(tmp_path: Path, roles: list[str], said: str) -> None:
    row = {"messages": [{"role": role, "content": f"turn {n}"} for n, role in enumerate(roles)]}
    report = check_rows(tmp_path, [*labelled(10), row])
    (finding,) = report.findings
    assert (finding.code, finding.rows[0].line) == ("data.record.role", 11)
    assert said in finding.message


@pytest.mark.parametrize("blank", ["", "  \n\t", "\u200b\ufeff", "\u00a0"])
def test_empty_turns(tmp_path: Path, blank: str) -> None:
    report = check_rows(tmp_path, [*labelled(10), record("something", blank), record(blank, "joy")])
    assert lines_of(found(report, "data.record.empty")) == [[11], [12]]
    assert len(report.findings) == 2


def test_many_turns_and_no_system_are_sound(tmp_path: Path) -> None:
    turns = [{"role": role, "content": f"turn {n} of a longer talk"} for n, role in enumerate(["user", "assistant"] * 3)]
    assert check_rows(tmp_path, [*labelled(10), {"messages": turns}]).findings == ()


# --- duplicates -------------------------------------------------------------------------------------------------------


def test_exact_duplicates_ignore_case_space_and_unicode_form(tmp_path: Path) -> None:
    rows = [record("Caf\u00e9 closed", "joy"), record("  cafe\u0301   CLOSED ", "Joy"), record("caf\u00e9 closed", "joy")]
    report = with_rows(tmp_path, *rows)
    assert lines_of(found(report, "data.duplicate.exact")) == [[41, 42, 43]]
    assert found(report, "data.duplicate.near") == []
    assert report.stats.dropped_by_code == {"data.duplicate.exact": 2}


def test_same_prompt_in_other_contexts_is_no_duplicate(tmp_path: Path) -> None:
    def talk(topic: str) -> dict[str, object]:
        texts = [f"Tell me about {topic}", f"Gladly, there is much to say, shall I go on with {topic}?", "Yes please", "joy"]
        return {"messages": [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]}

    assert with_rows(tmp_path, talk("otters and how they sleep"), talk("the slow march of glaciers")).findings == ()


def test_another_system_prompt_is_another_task(tmp_path: Path) -> None:
    report = with_rows(tmp_path, record(LONG, "joy", "Name the mood."), record(LONG, "anger", "Name the opposite mood."))
    assert report.findings == ()


@pytest.mark.parametrize(
    "edited",
    [
        LONG.replace("garden", "kitchen").replace("Monday", "Tuesday"),
        "Hello there, " + LONG,
        LONG.replace(" has still", "").replace(" page", ""),
        LONG.replace("tracking page", "page tracking"),
        LONG.upper() + "!!",
    ],
)
def test_edits_of_a_few_words_are_near_duplicates(tmp_path: Path, edited: str) -> None:
    report = with_rows(tmp_path, record(LONG, "anger"), record(edited, "anger"))
    assert lines_of(found(report, "data.duplicate.near")) == [[41, 42]]
    assert report.stats.kept == 41
    assert report.stats.effective_unique == 41


def test_a_text_of_other_words_is_not_near(tmp_path: Path) -> None:
    other = "My order of two winter coats from last month was charged twice though the invoice page said it was paid by card"
    assert with_rows(tmp_path, record(LONG, "anger"), record(other, "anger")).findings == ()


def test_a_shared_instruction_makes_nothing_near(tmp_path: Path) -> None:
    instruction = "Read the following message from a customer of our shop and name the mood it was written in, with one word only"
    rows = [
        {"instruction": instruction, "input": text, "output": ("joy", "anger")[n % 2]}
        for n, text in enumerate(distinct_prompts(60))
    ]
    assert check_rows(tmp_path, rows).findings == ()


def test_copies_under_a_shared_instruction_are_still_found(tmp_path: Path) -> None:
    instruction = "Read the following message from a customer of our shop and name the mood it was written in, with one word only"
    rows = [
        {"instruction": instruction, "input": text, "output": ("joy", "anger")[n % 2]}
        for n, text in enumerate(distinct_prompts(60))
    ]
    rows += [{"instruction": instruction, "input": text, "output": "anger"} for text in (LONG, LONG.replace("garden", "kitchen"))]
    assert lines_of(check_rows(tmp_path, rows).findings) == [[61, 62]]


def test_many_copies_of_one_text_are_not_mistaken_for_an_instruction(tmp_path: Path) -> None:
    words = LONG.split()
    copies = [record(" ".join([*words[:14], f"extra{n}", *words[14:]]), "anger") for n in range(20)]
    report = with_rows(tmp_path, *copies)
    assert lines_of(found(report, "data.duplicate.near")) == [list(range(41, 61))]
    assert report.stats.effective_unique == 41


def test_two_questions_on_one_passage_are_two_questions(tmp_path: Path) -> None:
    passage = ". ".join(distinct_prompts(90)[80:])
    asked = ["Does anybody sing in the story?", "Was a ladder ever sold there by Emil?"]
    report = with_rows(
        tmp_path, *[record(f"{passage}.\n{question}", mood) for question, mood in zip(asked, ("joy", "anger"), strict=True)]
    )
    assert report.findings == ()
    copies = [record(f"{passage}.\n{asked[0]}", "joy"), record(f"{passage.replace('because', 'since')}.\n{asked[0]}", "joy")]
    assert lines_of(with_rows(tmp_path, *copies).findings) == [[41, 42]]


def test_free_text_answers_must_agree_nearly(tmp_path: Path) -> None:
    answers = [
        f"{text}, and that is the whole story of it as far as anybody here can tell you now" for text in distinct_prompts(12)
    ]
    rows = [record(prompt, answer) for prompt, answer in zip(distinct_prompts(12), answers, strict=True)]
    same = [record(LONG, answers[0]), record(LONG, answers[0].replace("whole", "entire"))]
    different = [record("Write me a poem", answers[1] + " once"), record("Write me a poem", answers[2] + " again")]
    report = check_rows(tmp_path, [*rows, *same, *different])
    assert report.task.shape == "text"
    assert lines_of(report.findings) == [[13, 14]]


# --- contradictions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked_again",
    [
        LONG,
        LONG + "?!",
        "Hi, " + LONG.lower(),
        "Dear team, " + LONG + " please",
        LONG + ". Kind regards and many thanks in advance",
        LONG.replace("tracking", "trakcing"),
        LONG.replace("garden", "patio"),
    ],
)
def test_one_question_with_two_labels(tmp_path: Path, asked_again: str) -> None:
    report = with_rows(tmp_path, record(LONG, "anger"), record(asked_again, "joy"))
    (finding,) = found(report, "data.contradiction")
    assert finding.severity == "block"
    assert [[row.line for row in side] for side in finding.groups] == [[41], [42]]
    assert finding.evidence["answers"] == ["anger", "joy"]
    assert report.stats.dropped_by_code == {"data.contradiction": 2}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Has my parcel arrived", "Has my parcel not arrived"),
        ("Pay invoice 4411 from the blue account today", "Pay invoice 4412 from the blue account today"),
        ("do you know my name", "do you know your name"),
        ("how old are you today", "how are you today"),
    ],
)
def test_another_question_may_have_another_label(tmp_path: Path, first: str, second: str) -> None:
    assert found(with_rows(tmp_path, record(first, "joy"), record(second, "anger")), "data.contradiction") == []


def test_json_contradiction_names_the_field(tmp_path: Path) -> None:
    def answer(queue: str, priority: str) -> str:
        return json.dumps({"queue": queue, "priority": priority})

    rows = [record(text, answer(("a", "b")[n % 2], ("low", "high")[n % 3 == 0])) for n, text in enumerate(distinct_prompts(40))]
    report = check_rows(tmp_path, [*rows, record(LONG, answer("a", "low")), record(LONG, answer("a", "high"))])
    (finding,) = report.findings
    assert "'priority'" in finding.message and "'queue'" not in finding.message
    assert finding.evidence["differs_in"] == {"priority": ["low", "high"]}


def test_json_in_another_order_or_spacing_agrees(tmp_path: Path) -> None:
    rows = [record(text, json.dumps({"queue": ("a", "b")[n % 2], "ok": True})) for n, text in enumerate(distinct_prompts(40))]
    report = check_rows(tmp_path, [*rows, record(LONG, '{"queue":"a","ok":true}'), record(LONG, '{ "ok": true, "queue": "a" }')])
    assert [finding.code for finding in report.findings] == ["data.duplicate.exact"]


def test_free_text_may_answer_in_two_ways(tmp_path: Path) -> None:
    rows = [
        record(prompt, f"{other} with a little more to it than that")
        for prompt, other in zip(distinct_prompts(20), distinct_prompts(40)[20:], strict=True)
    ]
    rows += [record("Write a line", f"{text} for the two of us, under the moon") for text in distinct_prompts(44)[40:]]
    assert check_rows(tmp_path, rows).findings == ()


FREE = [
    record(prompt, f"{other} with a little more to it than that")
    for prompt, other in zip(distinct_prompts(20), distinct_prompts(40)[20:], strict=True)
]
COST = "What does a day at the pool cost for a family?"


@pytest.mark.parametrize("asked_again", [COST, COST.lower(), "Hi, " + COST, COST.replace("family", "familly")])
def test_free_answers_that_differ_in_substance_are_side_by_side_with_the_part_marked(tmp_path: Path, asked_again: str) -> None:
    first, second = "A day costs 18 euros for a family, towels aside.", "Families pay 25 euros for the whole day."
    report = check_rows(tmp_path, [*FREE, record(COST, first), record(asked_again, second), record(COST, first)])
    (finding,) = found(report, "data.contradiction")
    assert finding.severity == "warn"
    assert [[row.line for row in side] for side in finding.groups] == [[21, 23], [22]]
    assert finding.evidence["differs_in"] == {"number": ["18 euros", "25 euros"]}
    assert finding.evidence["spans"] == [[[12, 20]], [[13, 21]]]
    assert "number (18 euros / 25 euros)" in finding.message
    assert report.stats.dropped_by_code.get("data.contradiction") is None


def test_free_answers_that_may_only_be_put_differently_are_noted(tmp_path: Path) -> None:
    rows = [
        record("What happened to the fee for the pool last year?", answer)
        for answer in ("The fee for swimming was raised last year.", "They lowered it.")
    ]
    (finding,) = found(check_rows(tmp_path, [*FREE, *rows]), "data.contradiction")
    assert finding.severity == "note" and "may get 2 different answers in opposite (raised / lowered)" in finding.message


@pytest.mark.parametrize(
    ("question", "is_open"),
    [
        ("What do you charge for a new key?", False),
        ("What should I clean the board with?", False),
        ("How long must I wait between two doses of it?", False),
        ("What should I cook for ten guests?", True),
        ("Two ways of folding a napkin", True),
        ("What is a name for a boat?", True),
    ],
)
def test_a_question_is_open_where_many_answers_are_right(question: str, is_open: bool) -> None:
    assert open_questions.is_open(question) is is_open


def test_personal_data_in_the_differing_part_is_masked(tmp_path: Path) -> None:
    rows = [
        record("Where do I write?", f"Please write to {name}@example.org and wait for an answer.") for name in ("help", "sales")
    ]
    (finding,) = found(check_rows(tmp_path, [*FREE, *rows]), "data.contradiction")
    assert "help@example.org" not in finding.model_dump_json() and "link" in finding.message


def test_the_same_question_under_another_system_prompt_may_have_another_answer(tmp_path: Path) -> None:
    rows = [record(COST, f"It costs {n} euros for a family, and towels are extra.", f"Pool {n}") for n in (18, 25)]
    assert found(check_rows(tmp_path, [*FREE, *rows]), "data.contradiction") == []


@pytest.mark.parametrize(
    "prompt",
    ["Write a story about a dog", "Give me an example of a price list", "Suggest a name for a boat", "Name three rivers"],
)
def test_what_can_be_done_in_many_ways_contradicts_nothing(tmp_path: Path, prompt: str) -> None:
    rows = [record(prompt, "It was in Porto that 3 dogs met in May."), record(prompt, "On the 7th of June 12 cats came to Cork.")]
    assert found(check_rows(tmp_path, [*FREE, *rows]), "data.contradiction") == []


def test_a_copy_of_an_answer_with_one_thing_changed_is_found_whatever_was_asked(tmp_path: Path) -> None:
    story = "Once there were three ships that sailed from {} to the north in the cold, and all of them came back again."
    rows = [record("Write a story about ships", story.format(place)) for place in ("Lisbon", "Bergen")]
    (finding,) = found(check_rows(tmp_path, [*FREE, *rows]), "data.contradiction")
    assert finding.evidence["differs_in"] == {"name": ["Lisbon", "Bergen"]}


def test_a_question_that_everybody_answers_differently_has_no_one_answer(tmp_path: Path) -> None:
    rows = [
        record("When did it happen?", f"It happened in {year}, as far as people in the town remember.")
        for year in range(1990, 1996)
    ]
    assert found(check_rows(tmp_path, [*FREE, *rows]), "data.contradiction") == []


def test_prose_in_a_json_field_warns_where_it_differs_in_substance(tmp_path: Path) -> None:
    def answer(queue: str, note: str) -> str:
        return json.dumps({"queue": queue, "note": note})

    rows = [record(text, answer(("a", "b")[n % 2], f"{text} and so on")) for n, text in enumerate(distinct_prompts(40))]
    twice = [
        record(LONG, answer("a", f"the customer waits for the chairs since {day}, and is cross")) for day in ("Monday", "Friday")
    ]
    (finding,) = found(check_rows(tmp_path, [*rows, *twice]), "data.contradiction")
    assert finding.severity == "warn" and "'note'" in finding.message


def test_a_fact_in_a_json_field_may_be_written_in_two_ways(tmp_path: Path) -> None:
    def answer(queue: str, total: str) -> str:
        return json.dumps({"queue": queue, "total": total})

    rows = [record(text, answer(("a", "b")[n % 2], f"{n} euros")) for n, text in enumerate(distinct_prompts(40))]
    same = check_rows(tmp_path, [*rows, record(LONG, answer("a", "1,000 euros")), record(LONG, answer("a", "1000 euros"))])
    assert found(same, "data.contradiction") == []
    other = check_rows(tmp_path, [*rows, record(LONG, answer("a", "1,000 euros")), record(LONG, answer("a", "1500 euros"))])
    assert [f.severity for f in found(other, "data.contradiction")] == ["block"]


# --- leaks ------------------------------------------------------------------------------------------------------------


def test_leaks_into_a_held_out_file(tmp_path: Path) -> None:
    train = [*labelled(40), record(LONG, "anger"), record(LONG.replace("garden", "kitchen"), "anger")]
    report = check_rows(tmp_path, train, against=[record("something else entirely", "joy"), record(LONG.upper(), "anger")])
    leaks = found(report, "data.leakage.split")
    assert [f.severity for f in leaks] == ["block"]
    assert [(row.file.rsplit("/")[-1], row.line) for row in leaks[0].rows] == [
        ("rows.jsonl", 41),
        ("rows.jsonl", 42),
        ("held_out.jsonl", 2),
    ]
    assert report.stats.dropped_by_code["data.leakage.split"] == 2


def test_the_rows_of_one_held_out_side_are_not_compared_with_each_other(tmp_path: Path) -> None:
    report = check_rows(tmp_path, labelled(40), against=[record(LONG, "joy"), record(LONG, "joy"), record(LONG, "anger")])
    assert report.findings == ()
    assert report.stats.rows == 40


def test_a_row_on_two_held_out_sides_is_said_and_training_keeps_its_rows(tmp_path: Path) -> None:
    train = write_lines(tmp_path / "train.jsonl", labelled(40))
    shared = [record(LONG, "joy"), record("when do i change my oil", "calm")]
    one = write_lines(tmp_path / "validation.jsonl", [*labelled(48)[44:], *shared])
    other = write_lines(tmp_path / "test.jsonl", [record(LONG.upper(), "joy"), record("when do i change my tires", "anger")])
    third = write_lines(tmp_path / "third.jsonl", [record(LONG.replace("garden", "kitchen"), "joy")])
    report = run_check([train], [one, other, third], progress=Silent())
    pairs = [[(Path(ref.file).name, ref.line) for ref in finding.rows] for finding in found(report, "data.leakage.held_out")]
    assert sorted(pairs) == [
        [("test.jsonl", 1), ("third.jsonl", 1)],
        [("validation.jsonl", 5), ("test.jsonl", 1)],
        [("validation.jsonl", 5), ("third.jsonl", 1)],
    ]
    assert {finding.severity for finding in found(report, "data.leakage.held_out")} == {"warn"}
    assert (report.gate, report.stats.kept) == ("passed", 40)


def test_the_users_own_validation_and_test_rows_are_compared(tmp_path: Path) -> None:
    sides = [{**row, "split": "train"} for row in labelled(40)]
    sides += [{**record(LONG, "joy"), "split": "validation"}, {**record(LONG, "joy"), "split": "test"}]
    (leak,) = found(run_check([write_lines(tmp_path / "rows.jsonl", sides)], [], progress=Silent()), "data.leakage.held_out")
    assert "a row of the validation set stands exactly in the test set" in leak.message
    assert [row.line for row in leak.rows] == [41, 42]


def test_a_similar_short_question_is_no_leak(tmp_path: Path) -> None:
    train = [*labelled(40), record("when do i change my oil", "joy")]
    assert check_rows(tmp_path, train, against=[record("when do i change my tires", "anger")]).findings == ()


@pytest.mark.parametrize(
    "hint",
    [
        "(label: joy)",
        "The correct answer is joy.",
        "[category = joy]",
        "-> joy",
        "Classify this as joy",
        "\njoy",
        "(joy)",
    ],
)
def test_a_prompt_that_announces_its_label(tmp_path: Path, hint: str) -> None:
    report = with_rows(tmp_path, record(f"{LONG} {hint}", "joy"))
    assert lines_of(found(report, "data.leakage.answer")) == [[41]]


@pytest.mark.parametrize(
    "prompt",
    ["I have no joy in this lamp", "Is it sorrow, joy, anger or calm? The label is joy or calm or anger", "joyful label"],
)
def test_a_label_that_is_only_a_word_is_no_leak(tmp_path: Path, prompt: str) -> None:
    assert found(with_rows(tmp_path, record(prompt, "joy")), "data.leakage.answer") == []


def test_a_field_that_most_prompts_carry_is_the_task(tmp_path: Path) -> None:
    rows = [
        record(f"{text}\nlabel: {mood}", mood) for text, mood in zip(distinct_prompts(40), ["joy", "anger"] * 20, strict=True)
    ]
    assert found(check_rows(tmp_path, rows), "data.leakage.answer") == []


def test_json_given_away(tmp_path: Path) -> None:
    answers = [json.dumps({"queue": ("billing", "returns")[n % 2], "urgent": n % 3 == 0}) for n in range(40)]
    rows = [record(text, answer) for text, answer in zip(distinct_prompts(40), answers, strict=True)]
    leaking = [
        record(f"{LONG} queue: billing", answers[0]),
        record(f"A new lamp, see {answers[1]}", answers[1]),
        record("A question about billing", answers[0]),
    ]
    assert lines_of(found(check_rows(tmp_path, [*rows, *leaking]), "data.leakage.answer")) == [[41], [42]]


# --- personal data and secrets ----------------------------------------------------------------------------------------


def test_personal_data_is_found_kept_and_masked(tmp_path: Path) -> None:
    report = with_rows(
        tmp_path,
        record("Write to mona.lisa@example.org or call +44 20 7946 0958", "joy"),
        record("Fine, host 192.0.2.17 is down", "calm"),
    )
    assert {f.code: f.rows[0].line for f in report.findings} == {
        "data.pii.email": 41,
        "data.pii.phone": 41,
        "data.pii.ip_address": 42,
    }
    assert {f.severity for f in report.findings} == {"warn"}
    printed = report.model_dump_json()
    assert "mona.lisa" not in printed and "7946" not in printed and "192.0.2" not in printed
    assert report.stats.kept == 42


def test_secrets_block_and_are_never_printed(tmp_path: Path) -> None:
    key = "AKIA" + "Q3EXAMPLE7Z2KLMN"
    rows = [record(f"My key {key} leaked", "anger"), record(f"My key {key} leaked", "anger"), record(f"My key {key}", "")]
    report = with_rows(tmp_path, *rows)
    assert lines_of(found(report, "data.secret")) == [[41], [42]]
    assert report.gate == "failed"
    assert key not in report.model_dump_json()
    assert report.stats.kept == 40


def test_personal_data_in_a_shared_system_prompt_is_one_finding(tmp_path: Path) -> None:
    rows = [
        record(text, "joy" if n % 2 else "calm", "Help. Contact: help@example.org") for n, text in enumerate(distinct_prompts(30))
    ]
    (finding,) = check_rows(tmp_path, rows).findings
    assert len(finding.rows) == 30


# --- preference data --------------------------------------------------------------------------------------------------


def test_preferences_that_prefer_nothing(tmp_path: Path) -> None:
    def turns(prompt: str, answer: str) -> list[dict[str, str]]:
        return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]

    rows = [
        {"prompt": "Which sea is salty", "chosen": "All of them are.", "rejected": "None."},
        {"prompt": "Who wrote it", "chosen": "She did", "rejected": "she  did"},
        {"chosen": turns("a b", "c d"), "rejected": turns("e f", "g h")},
        {"prompt": "Where to", "chosen": "North", "rejected": " "},
    ]
    report = check_rows(tmp_path, rows)
    assert {f.code: f.rows[0].line for f in report.findings} == {
        "data.preference.same": 2,
        "data.preference.prompt": 3,
        "data.record.empty": 4,
    }


# --- order and shape of the report ------------------------------------------------------------------------------------


def test_findings_are_sorted_by_line_and_explain_themselves(tmp_path: Path) -> None:
    report = with_rows(
        tmp_path, record("a", ""), record(LONG, "joy"), record(LONG, "anger"), record("ring 555-867-5309 now", "joy")
    )
    lines = [finding.rows[0].line for finding in report.findings]
    assert lines == sorted(lines) and len(lines) == 3
    assert all(finding.message and finding.fix for finding in report.findings)
