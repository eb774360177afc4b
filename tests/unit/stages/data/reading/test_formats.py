"""Each accepted format becomes the same rows; what is wrong in one of its records is said of that record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.stages.data.rows_for_tests import Record, Silent, check_rows, distinct_prompts, found, lines_of, write_lines

from truetune.core.config import DataConfig
from truetune.core.errors import DataError
from truetune.core.records import DataFormat
from truetune.stages.data.check import run_check
from truetune.stages.data.reading.formats import FormatVote
from truetune.stages.data.reading.load import Loaded, load

TYPE, ROLE, EMPTY = "data.record.type", "data.record.role", "data.record.empty"
PROMPTS = distinct_prompts(60)

RECORDS: dict[DataFormat, Record] = {
    "messages": {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]},
    "sharegpt": {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
    "alpaca": {"instruction": "q", "input": "", "output": "a"},
    "prompt_completion": {"prompt": "q", "completion": "a"},
    "preference": {"prompt": "q", "chosen": "a", "rejected": "b"},
    "unpaired_preference": {"prompt": "q", "completion": "a", "label": True},
    "triplet": {"query": "q", "positive": "a", "negative": "b"},
}


def loaded(tmp_path: Path, records: list[Record], name: DataFormat | None = None) -> Loaded:
    return load([(write_lines(tmp_path / "rows.jsonl", records), "rows.jsonl")], name, Silent())


@pytest.mark.parametrize("name", RECORDS)
def test_a_format_is_told_by_its_keys_and_read(tmp_path: Path, name: DataFormat) -> None:
    result = loaded(tmp_path, [{"id": 7, **RECORDS[name]}])
    assert result.sources[0].format == name
    (row,) = result.rows
    assert (row.prompt, row.answer) == ("q", "a")
    assert row.is_demonstration == (name not in ("preference", "unpaired_preference", "triplet"))


def test_who_speaks_in_sharegpt(tmp_path: Path) -> None:
    speakers = ("System", "human", "function_call", "observation", "tool", "gpt", "user", "assistant")
    turns = [{"from": name, "value": f"text {n}"} for n, name in enumerate(speakers)]
    (row,) = loaded(tmp_path, [{"conversations": turns}]).rows
    roles = ["system", "user", "assistant", "tool", "tool", "assistant", "user", "assistant"]
    assert [message["role"] for message in row.messages] == roles
    assert (row.system, row.prompt, row.answer) == ("text 0", "text 6", "text 7")


def test_the_prompt_is_what_the_user_said_last_not_what_a_tool_said(tmp_path: Path) -> None:
    turns = [("human", "How warm is it?"), ("function_call", "weather()"), ("observation", "21 C"), ("gpt", "21 degrees.")]
    (row,) = loaded(tmp_path, [{"conversations": [{"from": who, "value": said} for who, said in turns]}]).rows
    assert (row.prompt, row.answer) == ("How warm is it?", "21 degrees.")


def test_a_system_prompt_beside_the_turns_comes_first(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "q"}, {"role": "assistant", "content": "a"}]
    (row,) = loaded(tmp_path, [{"system": "Be kind.", "conversations": turns}]).rows
    assert [message["role"] for message in row.messages] == ["system", "user", "assistant"]
    assert row.system == "Be kind."


@pytest.mark.parametrize(
    ("conversation", "code", "said"),
    [
        ("hello", TYPE, "'conversations' must be a list of turns, this is text"),
        ([], TYPE, "has no turn"),
        ([{"value": "q"}], TYPE, "turn 1 of 'conversations': the field 'from' is missing"),
        ([{"from": "human", "value": 3}], TYPE, "'value' must be text, this is a number"),
        (["q"], TYPE, "a turn must be an object"),
        ([{"from": "narrator", "value": "q"}, {"from": "gpt", "value": "a"}], ROLE, "unknown role 'narrator'"),
        ([{"from": "gpt", "value": "a"}], ROLE, "starts with the assistant"),
        ([{"from": "tool", "value": "x"}, {"from": "gpt", "value": "a"}], ROLE, "starts with a tool"),
        (
            [{"from": "human", "value": "q"}, {"from": "tool", "value": "x"}, {"from": "gpt", "value": "a"}],
            ROLE,
            "follows a user",
        ),
        ([{"from": "human", "value": "q"}], ROLE, "does not end with an assistant turn"),
        ([{"from": "human", "value": " "}, {"from": "gpt", "value": "a"}], EMPTY, "turn 1 (user) is only white space"),
    ],
)
def test_what_is_wrong_in_sharegpt(tmp_path: Path, conversation: object, code: str, said: str) -> None:
    report = check_rows(tmp_path, [RECORDS["sharegpt"], {"conversations": conversation}])
    (finding,) = found(report, code)
    assert said in finding.message
    assert lines_of([finding]) == [[2]]


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"negative": []}, TYPE, "'negative' has no text"),
        ({"negative": ["b", 3]}, TYPE, "each of 'negative' must be text, this is a number"),
        ({"negative": None}, TYPE, "'negative' must be text, this is null"),
        ({"positive": ["a"]}, TYPE, "'positive' must be text, this is a list"),
        ({"query": ""}, EMPTY, "the query is empty"),
        ({"positive": "\n"}, EMPTY, "the positive is only white space"),
        ({"negative": ["b", "  "]}, EMPTY, "negative 2 is empty"),
        ({"negative": ""}, EMPTY, "the negative is empty"),
    ],
)
def test_what_is_wrong_in_a_triplet(tmp_path: Path, change: Record, code: str, said: str) -> None:
    (finding,) = found(check_rows(tmp_path, [RECORDS["triplet"], {**RECORDS["triplet"], **change}]), code)
    assert said in finding.message
    assert finding.severity == "block"


@pytest.mark.parametrize("negative", ["b", ["b", "c", "d"]])
def test_one_negative_or_several(tmp_path: Path, negative: object) -> None:
    (row,) = loaded(tmp_path, [{**RECORDS["triplet"], "negative": negative}]).rows
    assert row.negatives == (tuple(negative) if isinstance(negative, list) else ("b",))


@pytest.mark.parametrize(("label", "judged"), [(True, True), (0, False), ("False", False), (" true ", True), ("1", True)])
def test_a_judgement_as_it_is_written(tmp_path: Path, label: object, judged: bool) -> None:
    (row,) = loaded(tmp_path, [{**RECORDS["unpaired_preference"], "label": label}]).rows
    assert row.desirable is judged


def test_a_label_that_judges_nothing_is_metadata(tmp_path: Path) -> None:
    rows = [{"prompt": prompt, "completion": "a", "label": ("billing", "returns", 2)[n % 3]} for n, prompt in enumerate(PROMPTS)]
    assert loaded(tmp_path, rows).sources[0].format == "prompt_completion"


@pytest.mark.parametrize("label", ["good", 2, None, 0.5])
def test_a_judgement_that_cannot_be_read_is_a_finding(tmp_path: Path, label: object) -> None:
    rows = [RECORDS["unpaired_preference"], RECORDS["unpaired_preference"], {**RECORDS["unpaired_preference"], "label": label}]
    (finding,) = found(check_rows(tmp_path, rows), TYPE)
    assert "'label' must say true (a good answer) or false (a bad one)" in finding.message
    assert lines_of([finding]) == [[3]]


def test_rows_of_an_unpaired_preference_that_lack_something_are_told_by_the_others(tmp_path: Path) -> None:
    rows = [*[RECORDS["unpaired_preference"]] * 3, {"prompt": "q", "completion": "a"}, {"prompt": "q", "label": True}]
    assert [f.message for f in found(check_rows(tmp_path, rows), TYPE)] == [
        "the field 'label' is missing",
        "the field 'completion' is missing",
    ]


def test_a_good_and_a_bad_answer_to_one_prompt_are_no_fault(tmp_path: Path) -> None:
    rows = [{"prompt": p, "completion": c, "label": c == "Yes"} for p in PROMPTS for c in ("Yes", "No")]
    assert check_rows(tmp_path, rows).findings == ()


def test_what_is_wrong_with_a_bad_answer_is_why_it_is_bad(tmp_path: Path) -> None:
    bad = ("TODO", "We looked into it. First of all, the", "As an AI language model, I cannot say.")
    rows = [{"prompt": p, "completion": f"It was {p} and nobody minded.", "label": True} for p in PROMPTS]
    rows += [{"prompt": f"Is it {n}?", "completion": text, "label": False} for n, text in enumerate(bad)]
    assert check_rows(tmp_path, rows).findings == ()


def test_a_passage_is_not_judged_as_an_answer(tmp_path: Path) -> None:
    rows = [{"query": p, "positive": f"It was {p} and nobody minded.", "negative": f"Not {n}"} for n, p in enumerate(PROMPTS)]
    rows.append({"query": "where did it stop", "positive": "We looked into it and will send the", "negative": "elsewhere"})
    assert found(check_rows(tmp_path, rows), "data.record.truncated") == []


def test_a_named_format_is_what_the_rows_are_held_against(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "rows.jsonl", [{**RECORDS["unpaired_preference"], "label": 1}] * 2)
    report = run_check([path], [], DataConfig(sources=(), format="prompt_completion"), progress=Silent())
    assert report.sources[0].format == "prompt_completion"


def test_csv_and_json_arrays_of_every_flat_format(tmp_path: Path) -> None:
    for name in ("alpaca", "prompt_completion", "preference", "unpaired_preference", "triplet"):
        record = RECORDS[name]
        table = tmp_path / f"{name}.csv"
        table.write_text(",".join(record) + "\n" + ",".join(str(v) for v in record.values()) + "\n", encoding="utf-8")
        array = tmp_path / f"{name}.json"
        array.write_text(json.dumps([record]), encoding="utf-8")
        for path in (table, array):
            result = load([(path, path.name)], None, Silent())
            assert (result.sources[0].format, len(result.rows), result.faults) == (name, 1, [])


def test_unknown_keys_name_every_format() -> None:
    vote = FormatVote()
    vote.count({"question": "q", "query": "x", "label": 1})
    with pytest.raises(DataError) as raised:
        vote.winner("faq.jsonl")
    for key in ("messages", "conversations", "instruction", "label", "rejected", "negative"):
        assert f"`{key}`" in raised.value.fix


# --- what others write ------------------------------------------------------------------------------------------------


def turns_of(result: Loaded) -> list[tuple[str, str]]:
    (row,) = result.rows
    return [(message["role"], message["content"]) for message in row.messages]


ASKED = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}, {"from": "human", "value": "q"}]


@pytest.mark.parametrize(
    ("record", "turns"),
    [
        (
            {"conversations": ASKED, "chosen": {"from": "gpt", "value": "a"}, "rejected": {"from": "gpt", "value": "b"}},
            ["hi", "hello", "q", "a"],
        ),
        (
            {"system": "Be kind.", "conversations": ASKED[2:], "chosen": {"role": "assistant", "content": "a"}, "rejected": "b"},
            ["Be kind.", "q", "a"],
        ),
        ({"instruction": "q", "input": "in", "chosen": "a", "rejected": "b"}, ["q\n\nin", "a"]),
    ],
)
def test_preferences_as_llama_factory_has_them(tmp_path: Path, record: Record, turns: list[str]) -> None:
    result = loaded(tmp_path, [record])
    assert (result.sources[0].format, [*result.faults]) == ("preference", [])
    assert [text for _, text in turns_of(result)] == turns
    assert result.rows[0].rejected == "b"


@pytest.mark.parametrize(
    "record",
    [
        {"conversations": [*ASKED, {"from": "gpt", "value": "a"}], "kto_tag": False},
        {"instruction": "q", "input": "", "output": "a", "kto_tag": False},
    ],
)
def test_a_bad_answer_marked_by_kto_tag_is_no_example(tmp_path: Path, record: Record) -> None:
    result = loaded(tmp_path, [record])
    assert result.sources[0].format == "unpaired_preference"
    assert (result.rows[0].answer, result.rows[0].desirable) == ("a", False)
    (fault,) = loaded(tmp_path, [{**record, "kto_tag": "maybe"}]).faults
    assert fault.code == TYPE and "'kto_tag' must say true" in fault.message


def test_alpaca_with_a_system_prompt_and_earlier_exchanges(tmp_path: Path) -> None:
    record: Record = {"instruction": "q", "output": "a", "system": "Be kind.", "history": [["hi", "hello"]]}
    assert turns_of(loaded(tmp_path, [record])) == [
        ("system", "Be kind."),
        ("user", "hi"),
        ("assistant", "hello"),
        ("user", "q"),
        ("assistant", "a"),
    ]
    (fault,) = loaded(tmp_path, [{**record, "history": [["hi"]]}]).faults
    assert "list of pairs" in fault.message


def chat(*turns: Record) -> Record:
    return {"messages": [{"role": "user", "content": "q"}, *turns], "tools": []}


def test_content_in_parts_is_read_where_all_are_text(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    assert turns_of(loaded(tmp_path, [chat({"role": "assistant", "content": parts, "weight": 1})]))[-1][1] == "one\ntwo"


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        ({"role": "assistant", "content": [{"type": "image_url", "image_url": {}}]}, "only text is read"),
        ({"role": "assistant", "content": []}, "no part"),
        ({"role": "assistant", "content": [{"type": "text", "text": 3}]}, "must be text"),
        ({"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}, "calls a tool"),
        ({"role": "assistant", "content": "a", "weight": 0}, "weight 0"),
    ],
)
def test_what_of_a_chat_is_not_read_is_said(tmp_path: Path, turn: Record, said: str) -> None:
    (fault,) = loaded(tmp_path, [chat(turn)]).faults
    assert fault.code == TYPE and said in fault.message and "turn 2 of 'messages'" in fault.message


def test_running_text_is_refused_with_the_formats_that_are_read(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        loaded(tmp_path, [{"text": "Once upon a time"}])
    assert caught.value.code == "data.format.unknown" and "running text" in (caught.value.why or "")
    assert all(f"`{key}`" in (caught.value.fix or "") for key in ("messages", "conversations", "instruction", "prompt", "chosen"))
