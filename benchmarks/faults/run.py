"""What the data gate finds of what was planted: `make bench-faults`.

    python -m benchmarks.faults.run                  # measure all, print; exit 1 where a target is missed
    python -m benchmarks.faults.run --write          # and write docs/reference/fault-table.json and the page made of it
    python -m benchmarks.faults.run --only labels --write    # measure one part anew; the others stay as they were written
    python -m benchmarks.faults.run --page           # measure nothing: write the page from the figures

Each part (`parts.py`) is measured in a process of its own, two at a time, so that one that fails takes no other with it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults.measured import Section, from_json, misses
from benchmarks.faults.parts import PARTS
from benchmarks.faults.tables import in_markdown, page
from benchmarks.real_data import REPOSITORY

from truetune.stages.data.checks.registry import described

PER_KIND = 60
SEED = 2026
JOBS = 2
FIGURES = REPOSITORY / "docs" / "reference" / "fault-table.json"
TABLE = FIGURES.with_suffix(".md")


@dataclass(frozen=True)
class Outcome:
    """What a part gave, with the seed and the number of faults that it was asked for; `failed` says why it gave nothing."""

    per_kind: int
    seed: int
    sections: tuple[Section, ...]
    skipped: tuple[str, ...] = ()
    failed: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and say whether the targets were reached."""
    options = _options(argv)
    if options.worker:
        options.worker.write_text(
            json.dumps(asdict(_measured(options.only[0], options.per_kind, options.seed))), encoding="utf-8"
        )
        return 0
    if options.page:
        TABLE.write_text(rendered(read()), encoding="utf-8")
        return 0
    outcomes: dict[str, Outcome] = {}
    started = time.monotonic()
    for name, outcome in _all_measured(options.only or list(PARTS), options):
        outcomes[name] = outcome
        print(f"\n## {name}, after {time.monotonic() - started:.0f} s", flush=True)
        for section in outcome.sections:
            print(f"\n{in_markdown(section)}", flush=True)
        print("\n".join((*outcome.skipped, *([outcome.failed] if outcome.failed else []))), flush=True)
        if options.write:
            _write({**read(), name: outcome})
    missed = [line for outcome in outcomes.values() for section in outcome.sections for line in misses(section)]
    missed += [f"{name} failed" for name, outcome in outcomes.items() if outcome.failed]
    print("\n" + ("\n".join(missed) if missed else "every target is met"))
    return 1 if missed else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faults.run", description="Recall and false alarms of every check."
    )
    parser.add_argument("--write", action="store_true", help="write docs/reference/fault-table.json and fault-table.md")
    parser.add_argument("--page", action="store_true", help="write fault-table.md from fault-table.json, and measure nothing")
    parser.add_argument("--per-kind", type=int, default=PER_KIND, help="faults of each kind in each corpus")
    parser.add_argument("--seed", type=int, default=SEED, help="where and what is planted")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="measure only these parts")
    parser.add_argument("--jobs", type=int, default=JOBS, help="parts that are measured at the same time")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def _all_measured(names: Sequence[str], options: argparse.Namespace) -> Iterator[tuple[str, Outcome]]:
    """Each part as it is done; those that took long the last time begin first, so that none of them is left over at the end."""
    took = {name: sum(section.cpu_s for section in outcome.sections) for name, outcome in read().items()}
    longest_first = sorted(names, key=lambda name: -took.get(name, math.inf))
    with ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(_apart, name, options.per_kind, options.seed): name for name in longest_first}
        for done in as_completed(running):
            yield running[done], done.result()


def _apart(name: str, per_kind: int, seed: int) -> Outcome:
    """The part, measured in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        asked = ["--only", name, "--per-kind", str(per_kind), "--seed", str(seed), "--worker", str(out)]
        command = [sys.executable, "-m", "benchmarks.faults.run", *asked]
        # One thread each: the parts share the cores already.
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=REPOSITORY, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        if done.returncode:
            return Outcome(per_kind, seed, (), failed=f"the part ended with {done.returncode}: {done.stderr[-2000:]}")
        return _outcome(json.loads(out.read_text(encoding="utf-8")))


def _measured(name: str, per_kind: int, seed: int) -> Outcome:
    made = list(PARTS[name](per_kind, seed))
    sections = tuple(one for one in made if isinstance(one, Section))
    return Outcome(per_kind, seed, sections, tuple(one for one in made if isinstance(one, str)))


def _outcome(value: Mapping[str, Any]) -> Outcome:
    sections, skipped = tuple(map(from_json, value["sections"])), tuple(value["skipped"])
    return Outcome(value["per_kind"], value["seed"], sections, skipped, value["failed"])


def read() -> dict[str, Outcome]:
    """The figures as they are written, by part; none where there are none."""
    if not FIGURES.exists():
        return {}
    return {name: _outcome(value) for name, value in json.loads(FIGURES.read_text(encoding="utf-8")).items()}


def _write(outcomes: Mapping[str, Outcome]) -> None:
    """Figures and page; as each part is done, so that a run that is ended by hand leaves what it measured, and all else."""
    FIGURES.write_text(written(outcomes), encoding="utf-8")
    TABLE.write_text(rendered(outcomes), encoding="utf-8")


def written(outcomes: Mapping[str, Outcome]) -> str:
    """The figures as JSON, in the order of the parts."""
    return json.dumps({name: asdict(outcomes[name]) for name in PARTS if name in outcomes}, indent=1, ensure_ascii=False) + "\n"


def rendered(outcomes: Mapping[str, Outcome]) -> str:
    """The page. A part that was not measured, or failed, is named at its top."""
    in_order = {name: outcomes[name] for name in PARTS if name in outcomes}
    gaps = [f"{name}: not in these figures" for name in PARTS if name not in outcomes]
    gaps += [f"{name}: {outcome.failed.splitlines()[0]}" for name, outcome in in_order.items() if outcome.failed]
    gaps += sorted({f"{name}: {why}" for name, outcome in in_order.items() for why in outcome.skipped})
    return page(tuple(described()), [section for outcome in in_order.values() for section in outcome.sections], gaps)


if __name__ == "__main__":
    sys.exit(main())
