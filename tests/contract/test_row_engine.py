"""What a row engine promises, in this process and on Ray with two workers: the same findings, in the same order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.unit.stages.data.rows_for_tests import Silent, distinct_prompts, record, write_lines

from truetune.core.ports import RowColumns, RowEngine
from truetune.stages.data.check import run_check
from truetune.stages.data.rows.one_pass import IN_PROCESS

on_ray = pytest.param(
    "ray",
    marks=[
        pytest.mark.slow,
        pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'truetune[ray]'"),
    ],
)


def started(name: str, shards_dir: Path) -> RowEngine:
    if name == "local":
        return IN_PROCESS
    from truetune.backends.ray import RayRows

    return RayRows(shards_dir, cpus=2)


def numbered(batches: int, rows: int) -> Iterator[RowColumns]:
    for number in range(batches):
        first = number * rows
        yield RowColumns(
            range(first, first + rows), ["f"] * rows, [1] * rows, [str(n).encode() for n in range(first, first + rows)]
        )


def of_batch() -> Callable[[RowColumns], tuple[int, int]]:
    """Made here so that it is sent as it is: workers know nothing of this module."""
    return lambda batch: (batch.position[0], sum(int(content) for content in batch.row))


def of_every_kind(rows: int) -> list[dict[str, object]]:
    """Rows of a text task in which every kind of row check finds something."""
    kinds: list[Callable[[str], tuple[str, str]]] = [
        lambda text: (text + " Write to ada.bell@mail.example.org", "We have written to you."),
        lambda text: (text, "I am sorry, but I cannot help with that."),
        lambda text: (text, "It was the day on which we went to the"),
        lambda text: (text + " caf\u00c3\u00a9 \u00e2\u20ac\u0153", "It is open."),
        lambda text: (text + " \x07", "It rang once."),
        lambda text: (text, "Use api_key = sk-proj-A1b2C3d4E5f6G7h8J9k0L1m2 for it."),
        lambda text: (text, ""),
    ]
    found = []
    for number, prompt in enumerate(distinct_prompts(rows)):
        answer = f"The {prompt.split()[-1]} was there, and somebody had seen it before."
        pair = kinds[number // 50 % len(kinds)](prompt) if number % 50 == 0 else (prompt, answer)
        found.append(record(*pair))
    return found


@pytest.mark.parametrize("name", ["local", on_ray])
def test_every_batch_is_worked_on_in_order_and_nothing_is_left(name: str, tmp_path: Path) -> None:
    total = of_batch()
    results = list(started(name, tmp_path).map(total, numbered(40, 100)))
    assert len(results) >= 5
    assert results[0][0] == 0
    assert sum(found for _, found in results) == sum(range(4000))
    assert [first for first, _ in results] == sorted(first for first, _ in results)
    assert list(started(name, tmp_path).map(total, iter(()))) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [on_ray])
def test_the_same_findings_as_in_this_process(name: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "rows.jsonl", of_every_kind(20_000))
    local = run_check([path], [], progress=Silent())
    spread = run_check([path], [], progress=Silent(), engine=started(name, tmp_path / "shards"))
    assert {finding.code for finding in local.findings} > {"data.pii.email", "data.secret", "data.record.truncated"}
    assert json.loads(spread.model_dump_json()) == json.loads(local.model_dump_json())
