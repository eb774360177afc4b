"""What the compiled part promises: the numbers of the NumPy code that stands in for it; and that all works without it."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.core.compiled import COMPILED, SWITCH
from truetune.stages.data.neighbours import SimilarityIndex, sorting, words
from truetune.stages.data.neighbours.words import WordTable, read_texts

REPOSITORY = Path(__file__).parent.parent.parent

compiled_only = pytest.mark.skipif(COMPILED is None, reason=f"the compiled part was not built, or {SWITCH}=0: NumPy runs")

ALPHABET = "aBcZ09 \n\t\x00\x1c\x0b.,'-:;!?\"()$+éßİΣς’。？日本한ก\u0301\u00a0\u2028\u200b\ufeff\ud800\udc00😀"
some_text = st.text(st.sampled_from(ALPHABET) | st.characters(), max_size=80)
long_word = st.builds(
    lambda word, times: word * times, st.text(st.sampled_from("aÉ9-.日"), min_size=1, max_size=9), st.integers(1, 60)
)


@contextmanager
def numpy_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "COMPILED", None)
        patch.setattr(sorting, "COMPILED", None)
        yield


def told(read: tuple[WordTable, words.Hashes]) -> list[list[int]]:
    table, keys = read
    blocks = zip(table.blocks, table.openings, strict=True)
    return [keys.tolist()] + [part.tolist() for block, bits in blocks for part in (block.hashes, block.starts, bits)]


@compiled_only
@settings(max_examples=300, deadline=None)
@given(st.lists(some_text | long_word | st.tuples(some_text, long_word, some_text).map("".join), max_size=8))
def test_texts_become_the_same_words(texts: list[str]) -> None:
    with numpy_only():
        expected = told(read_texts(texts))

    assert told(read_texts(texts)) == expected


@compiled_only
@pytest.mark.parametrize("length", [*range(1, 20), 63, 64, 65, 71, 72, 73, 127, 128, 129, 1_000])
def test_words_of_every_length_and_what_ends_them(length: int) -> None:
    texts = [letter * length + end for letter in "xé" for end in ("", ".", ".5", "-", "'s", "!\n", ". ", " y")]
    with numpy_only():
        expected = told(read_texts(texts))

    assert told(read_texts(texts)) == expected
    assert len(set(told(read_texts(texts))[0])) > len(texts) // 4


@compiled_only
@pytest.mark.parametrize("size", [0, 1, 2, 1_000, 70_000])
@pytest.mark.parametrize("bits", [1, 8, 33, 63, 64])
def test_numbers_come_out_sorted(size: int, bits: int) -> None:
    values = np.random.default_rng(size).integers(0, (1 << bits) - 1, size, dtype=np.uint64, endpoint=True)
    expected = np.sort(values)
    sorting.sort_in_place(values)

    assert np.array_equal(values, expected)


@compiled_only
def test_the_engine_finds_the_same_pairs() -> None:
    rng = random.Random(5)
    vocabulary = ["Été", "don't", "3.5", "naïve", "Straße", "日本", *(f"w{number}" for number in range(300))]
    texts = [" ".join(rng.choices(vocabulary, k=rng.choice((4, 9, 30, 120)))) for _ in range(400)]
    texts += [text.replace(rng.choice(text.split()), "new", 1) for text in texts]

    def found() -> list[list[float]]:
        index = SimilarityIndex(texts, spare_words=8, leave_out_shared_wording=True)
        pairs = index.verified_pairs()
        return [index.first_of.tolist(), pairs.left.tolist(), pairs.right.tolist(), pairs.share.tolist(), pairs.jaccard.tolist()]

    with numpy_only():
        expected = found()
    assert len(expected[1]) > 200
    assert found() == expected


@compiled_only
def test_arrays_that_are_too_small_are_refused() -> None:
    assert COMPILED is not None
    numbers = np.arange(3, dtype=np.uint64)
    with pytest.raises(ValueError, match="room"):
        COMPILED.sort(numbers, numbers[:2].copy())
    room = np.empty(1, dtype=np.uint32), np.empty(1, dtype=bool), np.empty(2, dtype=np.int64), np.empty(1, dtype=np.uint64)
    with pytest.raises(ValueError, match="too small"):
        COMPILED.cut(["two words"], bytes([1] * 32 + [0] + [1] * 735), *room)
    with pytest.raises(TypeError):
        COMPILED.cut([3], bytes(768), *room)  # type: ignore[list-item]


@pytest.mark.parametrize(("value", "expected"), [("0", "False"), ("1", str(COMPILED is not None))])
def test_the_switch_and_what_doctor_is_told(value: str, expected: str) -> None:
    code = "from pathlib import Path; from truetune import wiring; print(wiring.probe().environment(Path()).compiled_part)"
    environment = {**os.environ, SWITCH: value}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == expected


def build_hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", REPOSITORY / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_a_compiler_the_build_goes_on_without_the_compiled_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/bin/false")
    folder = tmp_path / "src" / "truetune"
    folder.mkdir(parents=True)
    shutil.copy(REPOSITORY / "src" / "truetune" / "_compiled.c", folder)
    (folder / "_compiled.abi3.so").write_bytes(b"of an earlier build")

    assert build_hook().compiled(tmp_path) is None
    assert [path.name for path in folder.iterdir()] == ["_compiled.c"]


@pytest.mark.skipif(COMPILED is None, reason="there was no C compiler when truetune was installed: NumPy runs")
def test_with_a_compiler_the_build_makes_one_file_for_all_pythons(tmp_path: Path) -> None:
    folder = tmp_path / "src" / "truetune"
    folder.mkdir(parents=True)
    shutil.copy(REPOSITORY / "src" / "truetune" / "_compiled.c", folder)

    built = build_hook().compiled(tmp_path)

    assert built.name in {"_compiled.abi3.so", "_compiled.pyd"}
