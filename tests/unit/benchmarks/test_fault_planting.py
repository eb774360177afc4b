"""The planter plants what it says it plants: measured here by definitions of the tests' own."""

from __future__ import annotations

import difflib
import ipaddress
import json
import random
import subprocess
import sys

import pytest
from benchmarks.faults import samples
from benchmarks.faults.corpora import Corpus, Example, plain_text
from benchmarks.faults.edits import edit_tokens
from benchmarks.faults.plant import KINDS, Planted, as_line, plant
from hypothesis import given, settings
from hypothesis import strategies as st

SYSTEM = "Name the colour."
WORDS = [
    "red",
    "green",
    "blue",
    "small",
    "large",
    "round",
    "flat",
    "soft",
    "hard",
    "old",
    "warm",
    "cold",
    "bright",
    "far",
    "plain",
]


def _example(number: int) -> Example:
    rng = random.Random(number)
    return Example(f"{' '.join(rng.choices(WORDS, k=12))}\nitem {number}", rng.choice(("red", "green", "blue")))


CORPUS = Corpus("toy", SYSTEM, tuple(map(_example, range(400))), tuple(map(_example, range(400, 460))), {})


def _planted(name: str, seed: int = 3, count: int = 40) -> Planted:
    return plant(CORPUS, {KINDS[name]: count}, seed)


def _turns(line: str) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = json.loads(line)["messages"]
    return turns


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_every_line_is_either_clean_or_a_fault_and_clean_lines_are_untouched(seed: int) -> None:
    planted = plant(CORPUS, dict.fromkeys(KINDS.values(), 5), seed)
    faulty = {fault.line for fault in planted.faults}
    assert faulty.isdisjoint(planted.clean)
    assert faulty | set(planted.clean) == set(range(1, len(planted.lines) + 1))
    assert all(planted.lines[line - 1] == as_line(SYSTEM, example) for line, example in planted.clean.items())
    assert len({example.prompt for example in planted.clean.values()}) == len(planted.clean)


def test_the_same_seed_plants_the_same_and_another_seed_does_not() -> None:
    assert _planted("role") == _planted("role")
    assert _planted("role").lines != _planted("role", seed=4).lines


def test_more_faults_than_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="no rows left to plant empty"):
        _planted("empty", count=401)


def test_malformed_lines_do_not_parse_and_all_others_do() -> None:
    planted = plant(CORPUS, dict.fromkeys(KINDS.values(), 12), 5)
    for fault in planted.faults:
        line = planted.lines[fault.line - 1]
        assert "\n" not in line
        if fault.kind == "malformed":
            with pytest.raises(ValueError):
                json.loads(line)
        else:
            json.loads(line)


def test_an_exact_copy_says_the_same_as_its_partner() -> None:
    planted = _planted("duplicate, exact")
    for fault in planted.faults:
        assert fault.partner is not None
        ours, partner = _turns(planted.lines[fault.line - 1]), _turns(planted.lines[fault.partner - 1])
        assert [" ".join(t["content"].casefold().split()) for t in ours] == [
            " ".join(t["content"].casefold().split()) for t in partner
        ]


def test_a_near_copy_resembles_its_partner_without_equalling_it() -> None:
    planted = _planted("duplicate, near")
    for fault in planted.faults:
        assert fault.partner is not None
        ours, partner = (_turns(planted.lines[n - 1]) for n in (fault.line, fault.partner))
        assert plain_text(ours[1]["content"]) != plain_text(partner[1]["content"])
        assert difflib.SequenceMatcher(None, ours[1]["content"].split(), partner[1]["content"].split()).ratio() >= 0.7
        assert ours[2] == partner[2]


@given(seed=st.integers(0, 10_000), length=st.integers(5, 80))
def test_edits_stay_within_the_promised_share(seed: int, length: int) -> None:
    text = " ".join(random.Random(seed).choices(WORDS, k=length))
    edited = edit_tokens(random.Random(seed), text, WORDS).split()
    matching = sum(b.size for b in difflib.SequenceMatcher(None, text.split(), edited, autojunk=False).get_matching_blocks())
    assert matching >= length - 2 * max(1, int(0.2 * length))


def test_a_contradiction_asks_the_same_and_answers_otherwise() -> None:
    planted = _planted("contradiction")
    answers = {example.answer for example in CORPUS.rows}
    for fault in planted.faults:
        assert fault.partner is not None
        ours, partner = (_turns(planted.lines[n - 1]) for n in (fault.line, fault.partner))
        assert ours[2]["content"] in answers - {partner[2]["content"]}
        assert difflib.SequenceMatcher(None, ours[1]["content"], partner[1]["content"]).ratio() > 0.85


def test_a_leak_names_the_held_out_row_that_it_copies() -> None:
    planted = _planted("leak, exact")
    for fault in planted.faults:
        assert fault.held_out is not None
        assert planted.lines[fault.line - 1] == planted.held_out[fault.held_out - 1]


def test_a_given_away_answer_stands_in_the_prompt() -> None:
    planted = _planted("leak, answer in prompt")
    assert all(
        turns[2]["content"] in turns[1]["content"] for turns in (_turns(planted.lines[f.line - 1]) for f in planted.faults)
    )


def test_nothing_to_read_in_an_empty_turn() -> None:
    planted = _planted("empty")
    for fault in planted.faults:
        contents = [turn["content"].strip(" \n\t\u00a0\u200b") for turn in _turns(planted.lines[fault.line - 1])]
        assert contents.count("") == 1


def test_type_and_role_faults_are_not_plain_conversations() -> None:
    planted = plant(CORPUS, {KINDS["type"]: 40, KINDS["role"]: 40}, 9)
    for fault in planted.faults:
        messages = json.loads(planted.lines[fault.line - 1])["messages"]
        plain = isinstance(messages, list) and all(
            isinstance(m, dict) and isinstance(m.get("role"), str) and isinstance(m.get("content"), str) for m in messages
        )
        assert plain == (fault.kind == "role")
        assert (
            not plain
            or [m["role"] for m in messages] != ["system", "user", "assistant"]
            or messages[1]["content"] in "red green blue"
        )


@given(seed=st.integers(0, 100_000))
def test_samples_are_valid_in_form_and_reserved_for_fiction(seed: int) -> None:
    rng = random.Random(seed)
    assert samples.email(rng).rpartition("@")[2].endswith(("example.com", "example.org", "example.net", ".test", ".example"))
    number = samples.phone(rng)
    assert any(part in number for part in ("555-01", "555 01", "7946 0", "7700 900"))
    assert _luhn_sum("".join(filter(str.isdigit, samples.card(rng)))) % 10 == 0
    assert _iban_remainder(samples.iban(rng)) == 1
    address = ipaddress.ip_address(samples.ip_address(rng))
    assert not address.is_global
    area = samples.social_security(rng)[:3]
    assert area not in ("000", "666") and area < "900"


@given(seed=st.integers(0, 100_000))
def test_lookalikes_fail_the_checks_that_they_resemble(seed: int) -> None:
    item = samples.lookalike(random.Random(seed))
    digits = "".join(filter(str.isdigit, item))
    if item.replace(" ", "").isdigit() and len(digits) == 16:
        assert _luhn_sum(digits) % 10 != 0
    if item.startswith("GB"):
        assert _iban_remainder(item) != 1


def test_planting_needs_nothing_of_the_product() -> None:
    code = "import sys, benchmarks.faults.example, benchmarks.faults.score; print([m for m in sys.modules if 'truetune' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _luhn_sum(digits: str) -> int:
    return sum(sum(divmod(int(d) * (1 + i % 2), 10)) for i, d in enumerate(reversed(digits)))


def _iban_remainder(number: str) -> int:
    compact = number.replace(" ", "")
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97
