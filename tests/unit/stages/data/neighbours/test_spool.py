"""What is put away comes back, whether it stays in memory or goes to a file."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.core.errors import EnvironmentFault
from truetune.stages.data.neighbours import spool
from truetune.stages.data.neighbours.spool import Spool, distinct_of

parts_of_numbers = st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=30), max_size=8)


@pytest.fixture(params=[1, 100, 1 << 20], ids=lambda held: f"{held}-bytes-held")
def held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "HELD_BYTES", request.param)


@pytest.mark.usefixtures("held")
@settings(deadline=None)
@given(parts_of_numbers)
def test_numbers_come_back_in_order_or_sorted(parts: list[list[int]]) -> None:
    arrays = [np.array(part, dtype=np.uint64) for part in parts]
    put = Spool(np.uint64, None)
    for array in arrays:
        put.put(array)
    numbers = [number for part in parts for number in part]

    assert put.sealed().values.tolist() == numbers
    assert distinct_of(arrays, None).values.tolist() == sorted(set(numbers))


@pytest.mark.usefixtures("held")
def test_what_was_read_can_be_given_back_and_read_again(tmp_path: Path) -> None:
    numbers = distinct_of([np.arange(1_000, dtype=np.uint64), np.arange(500, 2_000, dtype=np.uint64)], tmp_path)
    before = numbers.values.sum()
    numbers.release()

    assert (len(numbers), numbers.values.sum()) == (2_000, before)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "HELD_BYTES", 1)
    monkeypatch.setattr(spool.tempfile, "TemporaryFile", lambda dir: Path("/dev/full").open("wb"))  # noqa: SIM115, A006

    with pytest.raises(EnvironmentFault, match="could not write"):
        Spool(np.uint64, None).put(np.arange(1 << 16, dtype=np.uint64))
