"""Which languages rows are in, and which answers leave the language of their prompt."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.unit.stages.data.rows_for_tests import Record, check_rows, distinct_prompts, found, record

from truetune.core.text import words
from truetune.stages.data.balance.languages import glance, language_change

CODE = "data.balance.language"
PROMPTS = distinct_prompts(200)
ENGLISH = (
    "You can return the lamp within thirty days if you still have the receipt.",
    "The parcel left our warehouse on Monday and should be with you before the weekend.",
    "It is best to switch the machine off and wait for a few minutes before you try again.",
    "We are sorry to hear that the kettle is broken, and we will send you another one.",
)
GERMAN = (
    "Sie können die Lampe innerhalb von dreißig Tagen zurückgeben, wenn Sie den Kassenbon noch haben.",
    "Das Paket hat unser Lager am Montag verlassen und sollte vor dem Wochenende bei Ihnen sein.",
    "Am besten schalten Sie das Gerät aus und warten ein paar Minuten, bevor Sie es noch einmal versuchen.",
)
TURKISH = "Paketiniz pazartesi günü depomuzdan çıktı ve hafta sonundan önce size ulaşması gerekiyor, lütfen bekleyin."
JAPANESE = "荷物は月曜日に倉庫を出ましたので、週末までにはお手元に届くはずです。もうしばらくお待ちください。"


def english(count: int = 120, seed: int = 4) -> list[Record]:
    rng = random.Random(seed)
    return [record(prompt, f"{rng.choice(ENGLISH)} It is number {n}.") for n, prompt in enumerate(PROMPTS[:count])]


def lines(path: Path, rows: list[Record], severity: str = "warn") -> list[int]:
    return [f.rows[0].line for f in found(check_rows(path, rows, of_the_whole=True), CODE) if f.severity == severity]


@pytest.mark.parametrize("answer", [*GERMAN, TURKISH, JAPANESE])
def test_an_answer_in_another_language_is_found(tmp_path: Path, answer: str) -> None:
    assert lines(tmp_path, [*english(), record("Where is the parcel that I ordered from you last week?", answer)]) == [121]


def test_a_prompt_about_language_models_asks_for_no_other_language(tmp_path: Path) -> None:
    asked = "Explain how a language model is trained and what it learns from."
    assert lines(tmp_path, [*english(), record(asked, GERMAN[0])]) == [121]
    assert lines(tmp_path, [*english(), record(asked.replace(" model", " course in Bonn"), GERMAN[0])]) == []


def test_a_prompt_that_names_a_language_asks_for_no_other_one(tmp_path: Path) -> None:
    asked = "When did the English author go to the town on the other side of the river?"
    assert lines(tmp_path, [*english(), record(asked, GERMAN[0])]) == [121]
    assert lines(tmp_path, [*english(), record(asked.replace("English", "Dutch"), GERMAN[0])]) == []


def test_a_prompt_that_names_a_language_may_be_answered_in_both(tmp_path: Path) -> None:
    answer = f"{GERMAN[0]} {GERMAN[1]} {ENGLISH[1]} {ENGLISH[0]}"
    assert lines(tmp_path, [*english(), record("Where is the parcel that I have ordered from you?", answer)]) == [121]
    assert lines(tmp_path, [*english(), record("Do you know how to say it to me in German, and what is that?", answer)]) == []


def test_an_answer_that_changes_on_the_way_is_found(tmp_path: Path) -> None:
    row = record("Where is the parcel?", f"{ENGLISH[1]} {ENGLISH[0]} {GERMAN[0]} {GERMAN[1]}")
    rows = [*english(), row]
    assert lines(tmp_path, rows) == [121]
    (finding,) = found(check_rows(tmp_path, rows, of_the_whole=True), CODE)
    assert "changes language on the way: en, then de" in finding.message


def test_one_language_throughout_is_left_alone(tmp_path: Path) -> None:
    report = check_rows(tmp_path, english(), of_the_whole=True)
    assert found(report, CODE) == []
    assert report.balance and report.balance.languages[0].name == "en"


def test_rows_of_two_languages_are_a_note_where_each_stays_in_its_own(tmp_path: Path) -> None:
    german = [
        record(f"{GERMAN[n % 3]} Und wie ist das mit Nummer {n}?", f"{GERMAN[(n + 1) % 3]} Das gilt für {n}.") for n in range(40)
    ]
    rows = [*english(), *german]
    assert lines(tmp_path, rows) == []
    (note,) = found(check_rows(tmp_path, rows, of_the_whole=True), CODE)
    assert note.severity == "note" and "en 75%" in note.message and "de 25%" in note.message


def test_where_changing_is_the_task_no_row_is_flagged(tmp_path: Path) -> None:
    rows = [record(f"{ENGLISH[n % 4]} This is text {n}.", f"{GERMAN[n % 3]} Das ist Text {n}.") for n in range(100)]
    assert lines(tmp_path, rows) == []
    (note,) = found(check_rows(tmp_path, rows, of_the_whole=True), CODE)
    assert "100% of the answers are in another language" in note.message


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Translate it into German: you can return the lamp with the receipt.", GERMAN[0]),
        ("Give some examples of dishes that people in Italy like.", "Ragu alla Bolognese, Risotto, Carbonara, Napoletana Pizza"),
        ("Write a function that adds two numbers and gives them back.", "def add(a: int, b: int) -> int:\n    return a + b"),
        ("Who was there on the night of the great fire?", "Giovanni Rossi, Jürgen Müller, Paweł Nowak, François Dubois"),
        ("Sort the list from the smallest to the largest number.", "[-4, 2, 5, 10, 92, 101]"),
        ("What is the word for it in the book that you have?", "Guten Tag"),
    ],
)
def test_what_was_asked_for_names_code_and_short_texts_are_left_alone(tmp_path: Path, prompt: str, answer: str) -> None:
    assert lines(tmp_path, [*english(), record(prompt, answer)]) == []


def test_labels_and_json_have_no_language_of_their_own(tmp_path: Path) -> None:
    rows = [record(f"{ENGLISH[n % 4]} This is text {n}.", "Rückgabe" if n % 2 else "Lieferung") for n in range(100)]
    assert lines(tmp_path, rows) == []


def test_short_rows_with_a_foreign_word_or_two_by_chance_are_in_no_other_language(tmp_path: Path) -> None:
    tickets = [record(f"{prompt} the Acme o da e {n}", "billing") for n, prompt in enumerate(distinct_prompts(6))]
    rows = [record(f"please tell me when this is done for {prompt}", "billing") for prompt in distinct_prompts(100)]
    assert {glance(f"the Acme o da e {n}".lower().split()) for n in range(6)} == {"pt"}, "else this tests nothing"
    balance = check_rows(tmp_path, [*rows, *tickets], of_the_whole=True).balance
    assert balance is not None and balance.languages[0].name == "en"
    assert "pt" not in [share.name for share in balance.languages]


def test_a_handful_of_rows_has_no_languages(tmp_path: Path) -> None:
    report = check_rows(tmp_path, english(20), of_the_whole=True)
    assert report.balance and report.balance.languages == ()
    assert "fewer than 50 rows" in report.balance.not_measured["languages"]


@pytest.mark.parametrize(
    ("text", "code"), [(ENGLISH[0], "en"), (GERMAN[1], "de"), ("", ""), ("kettle lamp chair", ""), (JAPANESE, "")]
)
def test_a_glance(text: str, code: str) -> None:
    assert glance(words(text)) == code


def test_a_change_has_two_sides() -> None:
    assert language_change(ENGLISH[0], GERMAN[0]) == ("en", "de")
    assert language_change(GERMAN[0], TURKISH) == ("de", "tr")
    assert language_change(ENGLISH[0], ENGLISH[1]) is None
