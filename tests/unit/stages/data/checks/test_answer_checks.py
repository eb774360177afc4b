"""Answers that are cut off or answer nothing: found among peers that are whole, left alone where they are the habit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stages.data.rows_for_tests import Record, check_rows, distinct_prompts, found, labelled, lines_of, record

from truetune.stages.data.checks.records.boilerplate import _REFUSAL, kind_of, may_be_refusal
from truetune.stages.data.checks.records.placeholders import is_placeholder
from truetune.stages.data.checks.records.refusals import is_refusal
from truetune.stages.data.checks.records.truncated import how_it_breaks

TRUNCATED, BOILERPLATE = "data.record.truncated", "data.record.boilerplate"


def told(count: int, end: str = ".") -> list[Record]:
    """Rows with prose answers of which no two are alike."""
    prompts = distinct_prompts(2 * count)
    return [record(prompts[n], f"It was {prompts[count + n]} and nobody minded much{end}") for n in range(count)]


def objects(count: int) -> list[Record]:
    return [
        record(prompt, json.dumps({"mood": ("joy", "calm")[n % 2], "n": n})) for n, prompt in enumerate(distinct_prompts(count))
    ]


# --- cut off ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        "The kettle came back yesterday and we will send the",
        "The kettle came back yesterday, and we will send anoth",
        "We looked into it. First of all,",
        "Use this:\n\n```python\ndef total(items):\n    return sum(",
    ],
)
def test_an_answer_that_stops_is_found_among_whole_ones(tmp_path: Path, answer: str) -> None:
    report = check_rows(tmp_path, [*told(40), record("How is the kettle?", answer)])
    assert lines_of(found(report, TRUNCATED)) == [[41]]
    assert report.findings[0].severity == "warn"
    assert report.gate == "passed"


@pytest.mark.parametrize(
    "answer",
    [
        "The kettle is fine.",
        "Is it? (Yes, see the second page)",
        "He said “the kettle is fine”",
        "Dear Ada,\n\nThe kettle is fine.\n\nYours sincerely,\nBela Moor",
        "Three things help:\n- warm water in the morning\n- a long walk along the river",
        "1. Warm water in the morning\n2. A long walk along the river",
        "```python\nreturn sum(items)\n```",
        "See the whole list at https://example.org/kettles",
        "Red Kettle",
        "It works 👍",
        "The Kettle and the Long Walk Along the River",
        "Kettles, cups, plates, tea towels",
        "We mended it in May. Ask us for another! #kettles #tea",
        '"A watched kettle never boils, they say. I have seen one boil." - Ada Moor',
        "We have mended it, and it is as good as it was. Yours in haste and hope, Bela Moor",
        "Heat it as the leaflet says. With that the share of it comes to 21 / 3 = 7",
        "for kettle in kettles:\n    boil(kettle)\n    print(kettle)  # and so on for the rest of them",
        "rnbqkbnr/pp1ppppp/8/2p5/4P3/5N2/PPPP1PPP/RNBQKB1R b KQkq - 1 2",
        "What you need is: 1. A kettle 2. Some water 3. A pinch of tea and the time for it",
        "Fill it with water from the tap\nPut it on the stove for a while",
    ],
)
def test_whole_answers_are_left_alone(tmp_path: Path, answer: str) -> None:
    assert check_rows(tmp_path, [*told(40), record("How is the kettle?", answer)]).findings == ()


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Which is true?\nThe lid is off and it is hot\nThe lid is on and it is cold", "The lid is on and it is cold"),
        ("Suggest a title for the talk.", "How a kettle is mended by those who own it"),
    ],
)
def test_what_was_asked_for_may_have_no_end(tmp_path: Path, prompt: str, answer: str) -> None:
    assert found(check_rows(tmp_path, [*told(40), record(prompt, answer)]), TRUNCATED) == []
    assert lines_of(found(check_rows(tmp_path, [*told(40), record("How is the kettle?", answer)]), TRUNCATED)) == [[41]]


def test_a_list_whose_last_item_stops_while_the_others_end(tmp_path: Path) -> None:
    lists = [record(prompt, "Do this:\n1. Fill it.\n2. Boil it.\n3. Drink.") for prompt in distinct_prompts(70)[45:]]
    rows = [*told(40), *lists, record("How is it made?", "Do this:\n1. Fill it.\n2. Boil it.\n3. Pour it over the")]
    assert lines_of(found(check_rows(tmp_path, rows), TRUNCATED)) == [[66]]


def test_mere_words_among_many_of_them_have_no_end(tmp_path: Path) -> None:
    prompts = distinct_prompts(120)
    rows = [
        record(prompt, f"{a} {b} {a} {b} tea") for prompt, a, b in zip(prompts[:6], prompts[6:12], prompts[12:18], strict=True)
    ]
    assert found(check_rows(tmp_path, [*told(40), *rows]), TRUNCATED) == []


def test_one_cut_in_fifteen_is_found_among_answers_that_are_sentences(tmp_path: Path) -> None:
    cut = [f"It was the kettle of {name} and we did not have any" for name in ("Ada", "Bela", "Cleo")]
    report = check_rows(tmp_path, [*told(40), *map(record, distinct_prompts(43)[-3:], cut)])
    assert lines_of(found(report, TRUNCATED)) == [[41], [42], [43]]


def test_where_nobody_ends_a_sentence_an_open_end_says_nothing(tmp_path: Path) -> None:
    assert check_rows(tmp_path, told(40, end="")).findings == ()


def test_open_fences_are_no_finding_where_they_are_the_habit(tmp_path: Path) -> None:
    rows = [record(prompt, f"Here:\n```\nprint({n})\nprint(item{n})") for n, prompt in enumerate(distinct_prompts(40))]
    assert found(check_rows(tmp_path, rows), TRUNCATED) == []


@pytest.mark.parametrize("cut", [1, 5, 10, 16])
def test_json_that_stops(tmp_path: Path, cut: int) -> None:
    report = check_rows(tmp_path, [*objects(40), record("And this?", '{"mood": "joy", "n": 7}'[:cut])])
    assert lines_of(found(report, TRUNCATED)) == [[41]]


@pytest.mark.parametrize("text", ['{"a": "}"}', '{"a": [1, {"b": "\\""}]}', "[see page 4", "{curly prose", '["x"]', "{'a': 1}}"])
def test_what_is_closed_or_no_json_is_not_cut_off_json(text: str) -> None:
    assert how_it_breaks(text) == ""


def test_labels_have_no_end_to_look_at(tmp_path: Path) -> None:
    assert check_rows(tmp_path, labelled(60, labels=("one of the", "two and", "three,"))).findings == ()


# --- boilerplate ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I cannot assist with this request.",
        "As an AI language model, I cannot form an opinion.",
        "I am unable to provide medical advice.",
        "Unfortunately, I am not able to answer this.",
        "As of my last update, nothing was known.",
        "TODO",
        "tbd.",
        "[insert the answer here]",
        "Lorem ipsum dolor sit amet.",
        "<placeholder>",
        "N/A",
        "...",
    ],
)
def test_what_answers_nothing_is_found_in_prose(tmp_path: Path, answer: str) -> None:
    report = check_rows(tmp_path, [*told(40), record("How is the kettle?", answer)])
    assert lines_of(found(report, BOILERPLATE)) == [[41]]


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry that the kettle came late; a new one is on its way.",
        "Language models are trained on text.",
        "You can't help with that on a Sunday.",
        "None of them came back.",
        "I can't wait to tell you about the kettle.",
        "Unknown to us, the kettle had been sold.",
        "I would like to apologise for the delay.\n\nBest,\n[Your Name]",
    ],
)
def test_answers_that_only_sound_like_it_are_left_alone(tmp_path: Path, answer: str) -> None:
    assert found(check_rows(tmp_path, [*told(40), record("How is the kettle?", answer)]), BOILERPLATE) == []


def test_refusing_as_a_label_or_a_habit_is_no_finding(tmp_path: Path) -> None:
    answers = ("I'm sorry, but I can't help with that.", "Of course.", "Gladly.", "Not today.")
    assert found(check_rows(tmp_path, labelled(40, labels=answers)), BOILERPLATE) == []


def test_a_system_prompt_that_asks_for_refusals_gets_them(tmp_path: Path) -> None:
    row = record("How do I pick a lock?", "I'm sorry, but I can't help with that.", "Decline what is against the law.")
    assert found(check_rows(tmp_path, [*told(40), row]), BOILERPLATE) == []


def test_no_value_is_an_answer_in_labels_and_json_and_a_placeholder_is_not(tmp_path: Path) -> None:
    report = check_rows(tmp_path, [*labelled(40), record("And this?", "n/a"), record("And that?", "TODO")])
    assert lines_of(found(report, BOILERPLATE)) == [[42]]
    in_json = [record("And this?", '{"mood": "n/a", "n": 2}'), record("And that?", '{"mood": "TODO", "n": 3}')]
    assert lines_of(found(check_rows(tmp_path, [*objects(40), *in_json]), BOILERPLATE)) == [[42]]


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Is it illegal to keep the kettle?", "Yes, it would be illegal to keep it."),
        ("Is this text offensive or not offensive?", "The given text is not offensive."),
        ("Make it negative: I will succeed.", "I will not succeed."),
        (
            "Why do we use assistants?",
            "There are many reasons why we use them: they can do what would be impossible for most of us alone.",
        ),
        ("Write a song.", "I cannot help the way I feel\nAbout the rules and all of this\nI do not want to say no more"),
        ("Write a talk.", "Agent: I'm sorry, I can't help with that.\nCaller: Then who can?"),
        ("Is it null or undefined?", "Undefined"),
        (
            "Draft a letter about it.",
            "Dear [insert name], the kettle that you have sent to us came in good order, many thanks for it.",
        ),
        (
            "How is a gap filled?",
            "With the words lorem ipsum, which stand for a text that somebody has still to write for that page.",
        ),
    ],
)
def test_what_answers_the_prompt_declines_nothing(tmp_path: Path, prompt: str, answer: str) -> None:
    assert found(check_rows(tmp_path, [*told(40), record(prompt, answer)]), BOILERPLATE) == []


def test_a_long_answer_is_looked_at_from_its_start_only() -> None:
    assert (
        kind_of("It is a fine day. " * 40 + "As an AI language model, I like it.", no_value_is_an_answer=False, prompt="Hello?")
        == ""
    )


@pytest.mark.parametrize(
    "text",
    [
        "This falls outside what I am able to discuss.",
        "Being a computer program, I hold no opinions of my own.",
        "It would not be appropriate for me to answer this.",
        "We are unable to process this request at this time.",
        "I won't engage with that.",
    ],
)
def test_a_refusal_is_told_by_what_it_is_made_of(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No.",
        "The parcel cannot be delivered before Thursday.",
        "I can't wait to see the garden in bloom.",
        "Do you have access to the file that I sent?",
        "You cannot return the lamp once thirty days have passed.",
    ],
)
def test_a_text_about_something_is_no_refusal(text: str) -> None:
    assert not is_refusal(text)


@pytest.mark.parametrize(
    "text", ["{{answer}}", "[your text here]", "#REF!", "no reply yet", "____", "ANSWER_GOES_HERE", "<<output>>"]
)
def test_a_placeholder_even_among_labels(text: str) -> None:
    assert is_placeholder(text, no_value_is_an_answer=True)


@pytest.mark.parametrize(
    "text",
    [
        *("pending", "none", "test", "see the page", "a[i] = b", "{ }", "No answer is given in the text.", "#1", "+"),
        *("todo_list", "todo_list_update", "todo list", "change", "edit"),
    ],
)
def test_no_placeholder_among_labels(text: str) -> None:
    assert not is_placeholder(text, no_value_is_an_answer=True)


@given(st.from_regex(_REFUSAL, alphabet=st.characters(max_codepoint=127, include_characters="’")))
def test_the_quick_look_lets_every_refusal_through(text: str) -> None:
    assert may_be_refusal(text.lower())


def test_an_answer_that_speaks_of_the_speaker_alone_is_noted(tmp_path: Path) -> None:
    report = check_rows(tmp_path, [*told(40), record("How is the kettle?", "I'll keep that to myself.")])
    assert [(f.severity, f.rows[0].line) for f in found(report, BOILERPLATE)] == [("note", 41)]


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("How is the kettle?", "I broke the kettle yesterday."),
        ("Suggest a slogan.", "We bake until midnight."),
        ("How are you today?", "I feel wonderful."),
        ("When did it come?", "We had it by 10:30."),
        ("How is the kettle?", "Shall we talk about mine?"),
    ],
)
def test_short_answers_to_the_point_are_left_alone(tmp_path: Path, prompt: str, answer: str) -> None:
    assert found(check_rows(tmp_path, [*told(40), record(prompt, answer)]), BOILERPLATE) == []


def test_a_sentence_among_labels_is_found_unless_it_is_a_label(tmp_path: Path) -> None:
    report = check_rows(tmp_path, [*labelled(200), record("How is the kettle?", "That door stays closed.")])
    assert lines_of(found(report, BOILERPLATE)) == [[201]]
    sentences = [record(prompt, "Blue team.") for prompt in distinct_prompts(210)[200:]]
    assert found(check_rows(tmp_path, [*labelled(200), *sentences]), BOILERPLATE) == []
