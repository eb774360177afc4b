"""Text that was decoded the wrong way is told by decoding it the right way; stray control characters are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stages.data.rows_for_tests import check_rows, found, labelled, lines_of, record

from truetune.stages.data.checks.records.encoding_damage import mojibake

MOJIBAKE, CONTROL = "data.encoding.mojibake", "data.encoding.control"


@pytest.mark.parametrize("word", ["café", "don’t", "Müller", "€9", "привет", "日本語", "👍", "20 °C", "œuvre", "“well”", "à la"])
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_utf8_read_as_another_encoding_is_found_and_repaired(tmp_path: Path, word: str, encoding: str) -> None:
    read = "".join(bytes([byte]).decode(encoding, "ignore") or chr(byte) for byte in word.encode("utf-8"))
    report = check_rows(tmp_path, [*labelled(40), record(f"Is {read} here?", "joy")])
    (finding,) = found(report, MOJIBAKE)
    assert finding.rows[0].line == 41
    assert str(finding.evidence["repaired"])[:1] in word
    assert found(report, CONTROL) == []


def test_a_lost_character_is_found_in_answers_too(tmp_path: Path) -> None:
    report = check_rows(tmp_path, [*labelled(40), record("Where is it?", "caf\ufffd")])
    assert lines_of(found(report, MOJIBAKE)) == [[41]]


@pytest.mark.parametrize(
    "text",
    [
        "“CAFÉ” and “ESPAÑA”",
        "São Paulo, Łódź, Ångström",
        "«à la carte» – déjà vu…",
        "NÃO É VERDADE",
        "привет, 日本語, Ελλάδα, 👍🏽",
        "20 °C ± 3 µm, £20, €9, ½, ©, ®",
    ],
)
def test_sound_text_is_left_alone(tmp_path: Path, text: str) -> None:
    assert check_rows(tmp_path, [*labelled(40), record(f"Is it {text} here?", "joy")]).findings == ()


@given(st.text(st.characters(min_codepoint=0xC0, max_codepoint=0x17F, categories=["Ll"]), min_size=2, max_size=12))
def test_words_of_accented_letters_are_never_taken_for_damage_and_always_found_when_damaged(word: str) -> None:
    assert list(mojibake(word)) == []
    ((start, end, repaired),) = mojibake(word.encode("utf-8").decode("latin-1"))
    assert (start, end, repaired) == (0, 2 * len(word), word)


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x0b", "\x0c", "\x1b", "\x7f", "\x95"])
def test_control_characters_are_named(tmp_path: Path, character: str) -> None:
    report = check_rows(tmp_path, [*labelled(40), record(f"Is it{character} here?", "joy")])
    (finding,) = found(report, CONTROL)
    assert (finding.rows[0].line, finding.severity) == (41, "warn")
    assert f"U+{ord(character):04X}" in finding.message


def test_tabs_and_line_ends_are_sound(tmp_path: Path) -> None:
    assert check_rows(tmp_path, [*labelled(40), record("Is\tit\r\nhere?\n", "joy")]).findings == ()
