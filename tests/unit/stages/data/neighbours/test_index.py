"""What the similarity engine promises, held against a count of common words over all pairs."""

import math
import random
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.stages.data.neighbours import SimilarityIndex, comparison, meetings, nomination, spool, words
from truetune.stages.data.neighbours import index as index_module

WORDS = [f"w{number}" for number in range(40)]
short_texts = st.lists(st.sampled_from(WORDS[:12]), min_size=0, max_size=20).map(" ".join)


def reach(a: str, b: str, threshold: float) -> bool:
    """Do the texts share enough words, counted one by one?"""
    longer = max(len(a.split()), len(b.split()))
    return (Counter(a.split()) & Counter(b.split())).total() >= math.ceil(threshold * longer - 1e-9)


def by_hand(texts: list[str], threshold: float) -> set[tuple[int, int]]:
    first = [position for position, text in enumerate(texts) if texts.index(text) == position and text]
    return {(i, j) for i, j in combinations(first, 2) if reach(texts[i], texts[j], threshold)}


def pairs_of(texts: list[str], threshold: float, seed: int = 0) -> set[tuple[int, int]]:
    pairs = SimilarityIndex(texts, threshold, seed).verified_pairs()
    return set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))


def edited(text: str, share: float, rng: random.Random) -> str:
    """The text with up to `share` of its words substituted, deleted, inserted or swapped."""
    words = text.split()
    for _ in range(int(share * len(words))):
        place = rng.randrange(len(words) - 1)
        match rng.randrange(4):
            case 0:
                words[place] = f"new{rng.randrange(10**6)}"
            case 1:
                words.pop(place)
            case 2:
                words.insert(place, f"new{rng.randrange(10**6)}")
            case _:
                words[place], words[place + 1] = words[place + 1], words[place]
    return " ".join(words)


@settings(max_examples=60, deadline=None)
@given(st.lists(short_texts, max_size=9), st.sampled_from([0.6, 0.7, 0.75, 0.8, 0.9, 1.0]), st.integers(0, 3))
def test_short_texts_are_paired_exactly_as_counting_would(texts: list[str], threshold: float, seed: int) -> None:
    within = [text for text in texts if len(text.split()) <= 6 or threshold >= 0.8]

    assert pairs_of(within, threshold, seed) == by_hand(within, threshold)


@settings(max_examples=60, deadline=None)
@given(st.lists(short_texts, max_size=12), st.lists(short_texts, max_size=12))
def test_a_query_finds_what_counting_would_find(indexed: list[str], asked: list[str]) -> None:
    found = SimilarityIndex(indexed).query(asked)
    expected = {
        (i, j)
        for i, one in enumerate(asked)
        for j, other in enumerate(indexed)
        if indexed.index(other) == j and (one == other or (one and other and reach(one, other, 0.8)))
    }

    assert set(zip(found.left.tolist(), found.right.tolist(), strict=True)) == expected


@pytest.mark.parametrize("words", [5, 8, 12, 20, 24, 25, 26, 30, 31, 40, 64, 65, 80, 220])
def test_copies_with_a_fifth_of_the_words_edited_are_found_at_every_length(words: int) -> None:
    rng = random.Random(words)
    vocabulary = [f"v{number}" for number in range(5_000)]
    originals = [" ".join(rng.choices(vocabulary, k=words)) for _ in range(300)]
    copies = [edited(text, 0.2, rng) for text in originals]

    found = pairs_of(originals + copies, 0.8)

    missed = [i for i in range(300) if copies[i] != originals[i] and (i, i + 300) not in found]
    assert not missed
    assert len(found) <= 300


def test_every_reported_share_is_the_counted_one() -> None:
    rng = random.Random(7)
    originals = [" ".join(rng.choices(WORDS, k=rng.randrange(5, 60))) for _ in range(100)]
    texts = originals + [edited(text, 0.2, rng) for text in originals]
    pairs = SimilarityIndex(texts).verified_pairs()

    assert len(pairs) > 50
    for i, j, share, jaccard in zip(pairs.left, pairs.right, pairs.share, pairs.jaccard, strict=True):
        a, b = Counter(texts[i].split()), Counter(texts[j].split())
        common = (a & b).total()
        assert share == pytest.approx(common / max(a.total(), b.total()))
        assert jaccard == pytest.approx(common / (a | b).total())


def test_case_spacing_and_ordinary_punctuation_make_no_difference_symbols_do() -> None:
    index = SimilarityIndex(["Is it (5 %) off?", "is  it 5 %\toff", "is it 5 + off", "IS IT 5 % OFF!!", "is it 5 % o-ff"])

    assert index.first_of.tolist() == [0, 0, 2, 0, 4]


@pytest.mark.parametrize("word", ["don't", "don\u2019t", "e-mail", "3.5", "1,000", "7:30", "a@b.org", "$5", "x_1", "caf\u00e9's"])
def test_a_mark_inside_a_word_does_not_part_it(word: str) -> None:
    assert pairs_of([f"all of these {word} stay", "all of these words stay"], 0.8) == {(0, 1)}


def test_texts_outside_ascii_are_compared_by_their_letters() -> None:
    composed, decomposed = "Caf\u00e9 \u00d6ffnung", "cafe\u0301 o\u0308ffnung"
    index = SimilarityIndex([composed, decomposed, "cafe offnung", "\u4eca\u65e5\u306f", "\u4eca\u65e5\u306f\u3002", "x\ud800y"])

    assert index.first_of.tolist() == [0, 0, 2, 3, 3, 5]


def test_a_word_hashes_alike_in_ascii_and_other_texts() -> None:
    found = pairs_of(["please send the whole invoice again", "please send the whole invoice \u00e0gain"], 0.8)

    assert found == {(0, 1)}


def test_words_of_any_length_are_told_apart_by_their_last_letter() -> None:
    texts = [("x" * length) + last for length in (3, 7, 8, 15, 63, 64, 65, 200, 5_000) for last in "ab"]

    assert SimilarityIndex(texts).first_of.tolist() == list(range(len(texts)))


def test_empty_texts_equal_each_other_and_nothing_else() -> None:
    index = SimilarityIndex(["", "a", "  \n", "?!"])

    assert index.first_of.tolist() == [0, 1, 0, 0]
    assert len(index.verified_pairs()) == 0


def test_nothing_indexed_means_nothing_found() -> None:
    index = SimilarityIndex([])

    assert len(index.verified_pairs()) == 0
    assert index.clusters().tolist() == []
    assert len(index.query(["anything", ""])) == 0
    assert len(SimilarityIndex(["a"]).query([])) == 0


def test_clusters_chain_copies_and_are_named_after_their_first_text() -> None:
    texts = [
        "alone here",
        "one two three four five",
        "one two three four six",
        "One, two, three, four, five",
        "one two three seven six",
    ]

    assert SimilarityIndex(texts).clusters().tolist() == [0, 1, 1, 1, 1]


def test_a_crowd_of_copies_is_one_cluster_and_its_pairs_stay_linear() -> None:
    rng = random.Random(3)
    text = " ".join(f"v{number}" for number in range(60))
    texts = [edited(text, 0.1, rng) for _ in range(1_000)]
    index = SimilarityIndex(texts)

    assert np.unique(index.clusters()).tolist() == [0]
    assert len(index.verified_pairs()) < 1_000 * 2 * 60


def test_results_do_not_depend_on_the_run() -> None:
    rng = random.Random(11)
    originals = [" ".join(rng.choices(WORDS, k=50)) for _ in range(200)]
    texts = originals + [edited(text, 0.2, rng) for text in originals]

    assert pairs_of(texts, 0.7, seed=5) == pairs_of(texts, 0.7, seed=5)


@pytest.mark.parametrize("threshold", [0.0, 0.59, 1.01, float("nan")])
def test_thresholds_that_were_not_measured_are_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold must be from"):
        SimilarityIndex(["a"], threshold)


@settings(max_examples=60, deadline=None)
@given(st.lists(short_texts, max_size=9), st.integers(0, 8))
def test_spare_words_let_short_texts_differ_in_more(texts: list[str], spare: int) -> None:
    within = [text for text in texts if len(text.split()) <= 9]
    pairs = SimilarityIndex(within, spare_words=spare).verified_pairs()

    def near(a: str, b: str) -> bool:
        longer = max(len(a.split()), len(b.split()))
        differ = max(longer - math.ceil(0.8 * longer - 1e-9), min(spare, max(longer // 4, min(2, longer // 2 - 1))))
        return (Counter(a.split()) & Counter(b.split())).total() >= longer - differ

    first = [i for i, text in enumerate(within) if within.index(text) == i and text]
    expected = {(i, j) for i, j in combinations(first, 2) if near(within[i], within[j])}
    assert set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)) == expected


def test_wording_that_many_texts_share_makes_no_pairs() -> None:
    rng = random.Random(2)
    frame = " ".join(f"said{number}" for number in range(40))
    asked = [" ".join(rng.choices([f"v{number}" for number in range(2_000)], k=10)) for _ in range(60)]
    texts = [f"{frame} {text}" for text in [*asked, edited(asked[0], 0.1, rng)]]

    assert len(SimilarityIndex(texts).verified_pairs()) > 50
    pairs = SimilarityIndex(texts, leave_out_shared_wording=True).verified_pairs()
    assert list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)) == [(0, 60)]


def test_the_same_text_under_two_instructions_is_two_questions() -> None:
    rng = random.Random(4)
    frames = [
        f"{verb} the text that follows for a reader who has never heard of it before : " for verb in ("Translate", "Abridge")
    ]
    asked = [" ".join(rng.choices([f"v{number}" for number in range(2_000)], k=40)) for _ in range(40)]
    texts = [frame + text for frame in frames for text in asked]
    edited_copy = frames[0] + edited(asked[3], 0.1, rng)
    pairs = SimilarityIndex([*texts, edited_copy], leave_out_shared_wording=True).verified_pairs()

    assert list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)) == [(3, 80)]


def test_a_copy_that_is_told_another_wording_than_its_source_is_found() -> None:
    rng = random.Random(6)
    body = " ".join(f"said{number}" for number in range(30))
    asked = [" ".join(rng.choices([f"v{number}" for number in range(2_000)], k=30)) for _ in range(41)]
    openings = ("kindly read this through once", "now look here for me")
    texts = [f"{opening} {body} {text}" for opening in openings for text in asked[:40]]
    source = f"well then my dear friend {body} {asked[40]}"
    copies = [source.replace("well then", " ".join(opening.split()[:2])) for opening in openings]
    pairs = SimilarityIndex([*texts, source, *copies], leave_out_shared_wording=True).verified_pairs()

    assert {(80, 81), (80, 82)} <= set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))


def test_a_pair_that_was_not_nominated_can_be_compared() -> None:
    texts = ["one two three four five", "one two three four six", "seven eight nine ten eleven"]
    index = SimilarityIndex(texts)
    found = index.compare(np.array([1, 0, 2]), np.array([0, 2, 2]))

    assert (found.left.tolist(), found.right.tolist(), found.share.tolist()) == ([0], [1], [0.8])


def crowded(rng: random.Random) -> list[str]:
    """Short and long texts, edited copies of them, and crowds: forms filled in, and one text that is edited forty times."""
    vocabulary = [f"v{number}" for number in range(3_000)]
    texts = [" ".join(rng.choices(vocabulary, k=rng.choice((6, 12, 30, 90)))) for _ in range(400)]
    form = " ".join(rng.choices(vocabulary, k=30))
    texts += [f"{form} {' '.join(rng.choices(vocabulary, k=15))}" for _ in range(150)]
    texts += [edited(text, 0.15, rng) for text in [*texts[::2], *[texts[3]] * 40]]
    return texts


def test_pairs_do_not_depend_on_how_much_is_looked_at_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    texts = crowded(random.Random(11))

    def found() -> list[list[float]]:
        index = SimilarityIndex(texts, spare_words=8, leave_out_shared_wording=True, scratch_dir=tmp_path)
        pairs = index.verified_pairs()
        order, rests = index.words_in_order(pairs), index.rests_agree(pairs)
        asked = index.query(texts[:100])
        columns = (index.first_of, pairs.left, pairs.right, pairs.share, order, rests, asked.left, asked.right, asked.jaccard)
        return [column.tolist() for column in columns]

    at_once = found()
    monkeypatch.setattr(spool, "HELD_BYTES", 1 << 12)
    monkeypatch.setattr(words, "_BLOCK_CHARS", 1 << 11)
    monkeypatch.setattr(meetings, "_SLICE_ENTRIES", 1 << 7)
    monkeypatch.setattr(comparison, "GATHERED_WORDS", 1 << 9)
    monkeypatch.setattr(index_module, "GATHERED_WORDS", 1 << 9)
    monkeypatch.setattr(nomination, "_KEY_BLOCK_ROWS", 1 << 5)

    assert len(at_once[1]) > 300
    assert found() == at_once
    assert not list(tmp_path.iterdir())
