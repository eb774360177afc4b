"""What a whole set of preference pairs says: style that decides, refusals on one side."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.stages.data.rows_for_tests import Record, check_rows, distinct_prompts, found

from truetune.stages.data.checks.preferences.agreement import krippendorff_alpha

STYLE, REFUSALS = "data.preference.style", "data.preference.refusals"
PROMPTS = distinct_prompts(240)


def pairs(count: int, restyle: Callable[[str], str] = str, share: float = 1.0, seed: int = 3) -> list[Record]:
    """Pairs whose sides are written alike, but for the style put over that share of the chosen ones."""
    rng = random.Random(seed)
    rows = []
    for n in range(count):
        first, second = (f"It was {PROMPTS[k]}. Nobody minded; number {k} came later." for k in rng.sample(range(100, 240), 2))
        chosen = restyle(first) if rng.random() < share else first
        rows.append({"prompt": PROMPTS[n], "chosen": chosen, "rejected": second})
    rng.shuffle(rows)
    return rows


def listed(text: str) -> str:
    return "\n".join(f"- {part}" for part in text.split(". "))


@pytest.mark.parametrize(
    ("restyle", "feature"),
    [
        (listed, "list items"),
        (lambda text: text.replace(".", "!"), "exclamation marks"),
        (lambda text: f"Absolutely! {text}", "the opening 'absolutely it'"),
        (lambda text: text.replace("Nobody minded", "**Nobody** minded"), "bold or italic type"),
    ],
)
def test_style_that_decides_is_named(tmp_path: Path, restyle: Callable[[str], str], feature: str) -> None:
    (finding,) = found(check_rows(tmp_path, pairs(100, restyle)), STYLE)
    assert f"more of: {feature}" in finding.message
    assert isinstance(finding.evidence["auc"], float)
    assert finding.evidence["auc"] > 0.9
    assert len(finding.rows) == 10


@pytest.mark.parametrize(("count", "share"), [(100, 0.0), (100, 0.3), (49, 1.0)])
def test_style_that_does_not_decide_or_too_few_pairs(tmp_path: Path, count: int, share: float) -> None:
    assert found(check_rows(tmp_path, pairs(count, listed, share)), STYLE) == []


def test_length_alone_is_not_style(tmp_path: Path) -> None:
    rows = [{**row, "chosen": f"{row['chosen']} {row['chosen']}"} for row in pairs(100)]
    report = check_rows(tmp_path, rows)
    assert found(report, STYLE) == []
    assert len(found(report, "data.preference.length_bias")) == 1


def refusing(count: int, side: str, share: float) -> list[Record]:
    rows = pairs(count)
    return [{**row, side: "I'm sorry, but I can't help with that."} if n < share * count else row for n, row in enumerate(rows)]


@pytest.mark.parametrize(("side", "learned"), [("rejected", "never to refuse"), ("chosen", "to refuse")])
def test_refusals_on_one_side(tmp_path: Path, side: str, learned: str) -> None:
    (finding,) = found(check_rows(tmp_path, refusing(100, side, 0.2)), REFUSALS)
    assert f"the {side} answer refuses in 20 of 100 pairs, the other one in 0" in finding.message
    assert finding.message.endswith(learned)
    assert [row.line for row in finding.rows] == list(range(1, 21))


@pytest.mark.parametrize(("count", "share"), [(100, 0.05), (40, 0.5)])
def test_a_few_refusals_or_too_few_pairs(tmp_path: Path, count: int, share: float) -> None:
    assert found(check_rows(tmp_path, refusing(count, "rejected", share)), REFUSALS) == []


def test_refusals_on_both_sides_say_nothing(tmp_path: Path) -> None:
    rows = [*refusing(60, "rejected", 0.3), *refusing(60, "chosen", 0.3)]
    assert found(check_rows(tmp_path, rows), REFUSALS) == []


AGREEMENT = "data.preference.agreement"


def judgements(pairs_judged: int, split: int, people: int = 3) -> list[Record]:
    """Pairs that several people judged; on the first `split` of them the last person says the opposite."""
    rows = []
    for n in range(pairs_judged):
        sides = [f"It was {PROMPTS[n]}.", f"It was {PROMPTS[n + 100]}."]
        if n % 2:
            sides.reverse()
        for person in range(people):
            better, worse = sides[::-1] if n < split and person == people - 1 else sides
            rows.append({"prompt": PROMPTS[n], "chosen": better, "rejected": worse, "annotator": f"person {person}"})
    return rows


def test_people_who_hardly_agree(tmp_path: Path) -> None:
    report = check_rows(tmp_path, judgements(40, 38))
    (finding,) = found(report, AGREEMENT)
    assert "3 people judged 40 pairs together and hardly agree" in finding.message
    assert finding.evidence["pairs_in_dispute"] == 38
    assert [row.line for row in finding.groups[0]] == [1, 2, 3]


@pytest.mark.parametrize(("pairs_judged", "split"), [(40, 10), (19, 19)])
def test_people_who_mostly_agree_or_too_few_pairs(tmp_path: Path, pairs_judged: int, split: int) -> None:
    assert found(check_rows(tmp_path, judgements(pairs_judged, split)), AGREEMENT) == []


def test_judgements_of_several_people_are_no_duplicates(tmp_path: Path) -> None:
    report = check_rows(tmp_path, judgements(40, 0))
    assert found(report, "data.duplicate.exact") + found(report, "data.duplicate.near") == []
    twice = check_rows(tmp_path, [*judgements(40, 0), judgements(1, 0)[0]])
    assert [[row.line for row in f.rows] for f in found(twice, "data.duplicate.exact")] == [[1, 121]]


@pytest.mark.parametrize(
    ("units", "alpha"),
    [
        # Krippendorff 2011, example A: ten units, two observers, binary.
        ([[a == "1", b == "1"] for a, b in zip("0100000010", "1110010000", strict=True)], 0.095),
        ([[True, True], [False, False]] * 5, 1.0),
        ([[True, True]] * 5, 1.0),
        ([[True, False]] * 50, -0.98),
    ],
)
def test_alpha(units: list[list[bool]], alpha: float) -> None:
    assert krippendorff_alpha(units) == pytest.approx(alpha, abs=0.001)
