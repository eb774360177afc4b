"""What the data gate finds of what was planted: `make bench-faults`.

    python -m benchmarks.faults.run            # print the tables; exit 1 where a target is missed
    python -m benchmarks.faults.run --write    # and write docs/reference/fault-table.md

Every corpus is planted with at least `PER_KIND` faults of each kind, written to a folder of its own, and given to the public
command in a process of its own. The truth stays in this process; the check is never given a path to it.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from benchmarks.faults import answers, do_not_train, languages, personal, preferences, provenance, schemas, sets, sides, triplets
from benchmarks.faults.corpora import Corpus, Example, available, with_neighbour
from benchmarks.faults.example import EXAMPLE
from benchmarks.faults.plant import KINDS, Fault, Kind, Planted, plant
from benchmarks.faults.score import ALARMING, Flag, Tally, flags_of
from benchmarks.faults.tables import Result, misses, page, section
from benchmarks.real_data import REPOSITORY

from truetune.cli.progress import SilentProgress
from truetune.stages.data.check import run_check

PER_KIND = 200
SEED = 2026
CLEAN_PER_ROUND = 300
"""At least this many rows of a corpus stay clean in a planting: a small corpus is planted in several rounds."""

TABLE = REPOSITORY / "docs" / "reference" / "fault-table.md"


class GateError(Exception):
    """The command under test did not answer with a report."""


def bench_kinds() -> list[Kind]:
    """What is planted into a corpus; slips are for the example only, they are easier than edits."""
    return [kind for name, kind in KINDS.items() if name != "duplicate, slip"]


def rounds_for(corpus: Corpus) -> int:
    """How many plantings a corpus needs so that each leaves enough clean rows and uses no row twice."""
    kinds = bench_kinds()
    rows = sum(kind.origin != "held_out" for kind in kinds) * PER_KIND
    held = sum(kind.origin == "held_out" for kind in kinds) * PER_KIND
    room = len(corpus.rows) - CLEAN_PER_ROUND
    return max(-(-rows // room), -(-held // len(corpus.held_out)))


def measure(corpus: Corpus, per_kind: int, seed: int) -> Result:
    """Plant, check and count, over as many rounds as the corpus needs, each with a seed of its own."""
    rounds = rounds_for(corpus)
    each = -(-per_kind // rounds)
    tally = Tally()
    for number in range(rounds):
        planted = plant(corpus, dict.fromkeys(bench_kinds(), each), seed + number)
        flags, seconds = check(planted)
        tally.add(planted, flags, seconds)
    tally.resembling = with_neighbour(tally.flagged_clean(), corpus)
    left_out = ", ".join(f"{n} {why}" for why, n in sorted(corpus.excluded.items())) or "none"
    what = f"{len(corpus.rows)} rows, {len(corpus.held_out)} held out; natural defects left out: {left_out}; plantings: {rounds}"
    return Result(corpus.name, what, tally)


def measure_few(about: str, corpus: Corpus, kinds: Sequence[Kind], per_kind: int, seed: int) -> Result:
    """Plant the faults that must be rarer than what is normal, a few at a time, and count."""
    each = max(2, int(answers.SHARE * len(corpus.rows)))
    rounds = -(-per_kind // each)
    tally = Tally()
    for number in range(rounds):
        planted = plant(corpus, dict.fromkeys(kinds, each), seed + number)
        flags, seconds = check(planted)
        tally.add(planted, flags, seconds)
    tally.resembling = with_neighbour(tally.flagged_clean(), corpus)
    what = f"{len(corpus.rows)} rows; faults of {about}, {each} of a kind in each of {rounds} plantings"
    return Result(f"{corpus.name}, {about}", what, tally)


def measure_listed(corpus: Corpus, per_kind: int, seed: int) -> Result:
    """Plant rows that a do-not-train list forbids, and count."""
    listed: list[do_not_train.Entry] = []
    planted = plant(corpus, dict.fromkeys(do_not_train.kinds(listed), per_kind), seed)
    tally = Tally()
    tally.add(planted, *check(planted, listed))
    tally.alarms = {code: rows for code, rows in tally.alarms.items() if code == do_not_train.CODE}
    return Result(f"{corpus.name}, do-not-train list", f"{len(corpus.rows)} rows, a list of {len(listed)} entries", tally)


def measure_wholes(corpus: Corpus, plantings: int, seed: int) -> Result:
    """Faults of a whole set of pairs: sets of pairs drawn from a corpus, with each fault and without, each set a planting."""
    tally = Tally()
    for number in range(plantings):
        for name, whole in preferences.WHOLES.items():
            rng = random.Random(f"{seed} {number} {name}")
            codes, seconds = _whole_codes(whole.make(rng, preferences.drawn(rng, corpus)))
            tally.add_whole(name, is_found=whole.code in codes, seconds=seconds)
        rng = random.Random(f"{seed} {number} sound")
        codes, seconds = _whole_codes(preferences.sound(rng, preferences.drawn(rng, corpus)))
        watched = {whole.code for whole in preferences.WHOLES.values()}
        tally.add_sound_whole(f"set {number}", codes & watched, seconds)
    what = f"{plantings} sets of {preferences.PAIRS} pairs for each fault and as many sound ones; a set is counted as one row"
    return Result(f"{corpus.name}, sets of pairs", what, tally)


def measure_sets(corpus: Corpus, kinds: Sequence[sets.SetKind], plantings: int, seed: int) -> Result:
    """Faults of whole sets that are no preferences. The sets are checked in this process: starting one for each of a thousand
    takes longer than checking it.
    """
    tally = Tally()
    for one in sets.planted_sets(corpus, kinds, plantings, seed):
        found, seconds = _said_of(one.lines)
        if one.kind is None:
            said = {code for code, severity in found if severity in ALARMING}
            tally.add_sound_whole(one.name, said & set(sets.CODES), seconds)
        else:
            tally.add_whole(one.kind.name, is_found=(one.kind.code, one.kind.severity) in found, seconds=seconds)
    what = f"{plantings} sets of {sets.size_of(corpus)} rows for each fault and as many sound ones; a set is counted as one row"
    return Result(f"{corpus.name}, whole sets", what, tally)


def _said_of(lines: Sequence[str]) -> tuple[set[tuple[str, str]], float]:
    """Code and severity of everything that is found, and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.jsonl"
        rows.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        started = time.perf_counter()
        report = run_check([rows], [], progress=SilentProgress())
        seconds = time.perf_counter() - started
    return {(finding.code, finding.severity) for finding in report.findings}, seconds


def _whole_codes(lines: Sequence[str]) -> tuple[set[str], float]:
    flags, seconds = check(Planted(tuple(lines), (), (), {}, {}))
    return {flag.code for flag in flags if flag.severity in ALARMING}, seconds


def shipped_example() -> Result:
    """The example's own files, as they lie in the repository, against its `faults.json`."""
    truth = json.loads((EXAMPLE / "faults.json").read_text(encoding="utf-8"))
    lines = (EXAMPLE / truth["file"]).read_text(encoding="utf-8").splitlines()
    held_out = (EXAMPLE / truth["held_out"]).read_text(encoding="utf-8").splitlines()
    faults = tuple(Fault(**fault) for fault in truth["faults"])
    faulty = {fault.line for fault in faults}
    clean = {n: _example(line) for n, line in enumerate(lines, 1) if n not in faulty}
    excused = {f.partner: KINDS[f.kind].partner_codes for f in faults if f.partner is not None}
    planted = Planted(tuple(lines), tuple(held_out), faults, clean, excused)
    tally = Tally()
    flags, seconds = check(planted)
    tally.add(planted, flags, seconds)
    return Result("examples/support-triage, as shipped", f"{len(lines)} lines, {len(held_out)} gold items", tally)


def _example(line: str) -> Example:
    turns = json.loads(line)["messages"]
    return Example(turns[-2]["content"], turns[-1]["content"])


def measure_provenance(corpus: Corpus, per_kind: int, seed: int) -> Result:
    """Plant faults of the columns and of the sidecar, a few at a time, and count both."""
    each = max(2, int(provenance.SHARE * len(corpus.rows)))
    rounds = -(-per_kind // each)
    tally = Tally()
    for number in range(rounds):
        rows, sidecar = provenance.plant(corpus, each, seed + number)
        report, seconds = report_on(rows, {"metadata.jsonl": sidecar.lines})
        tally.add(rows, flags_of(report, "rows.jsonl"), seconds)
        tally.add(sidecar, flags_of(report, "metadata.jsonl"), 0.0)
    tally.resembling = with_neighbour(tally.flagged_clean(), corpus)
    what = f"{len(corpus.rows)} rows; faults of metadata, {each} of a kind in each of {rounds} plantings"
    return Result(f"{corpus.name}, metadata", what, tally)


def measure_sides(corpus: Corpus, per_kind: int, seed: int) -> Result:
    """Plant test rows among the validation rows, and count; the clean rows are judged by that check alone."""
    each = min(per_kind, int(sides.SHARE * len(corpus.rows)))
    rounds = -(-per_kind // each)
    tally = Tally()
    for number in range(rounds):
        planted = sides.plant(corpus, each, seed + number)
        tally.add(planted, *check(planted))
    tally.alarms = {code: rows for code, rows in tally.alarms.items() if code == sides.CODE}
    tally.resembling = with_neighbour(tally.flagged_clean(), corpus)
    what = f"{len(corpus.rows)} rows with a split of their own; {each} faults of a kind in each of {rounds} plantings"
    return Result(f"{corpus.name}, held-out sides", what, tally)


def check(planted: Planted, listed: Sequence[do_not_train.Entry] = ()) -> tuple[list[Flag], float]:
    """What the public command flags in the planted rows, and how long it took, start-up included.

    `listed` is the do-not-train list that the config names, where there is one.

    Raises:
        GateError: the command printed no report.
    """
    report, seconds = report_on(planted, listed=listed)
    return flags_of(report, "rows.jsonl"), seconds


def report_on(
    planted: Planted, beside: Mapping[str, Sequence[str]] = MappingProxyType({}), listed: Sequence[do_not_train.Entry] = ()
) -> tuple[dict[str, object], float]:
    """The report of the public command on `rows.jsonl`, with other files beside it, and how long it took.

    Raises:
        GateError: the command printed no report.
    """
    with tempfile.TemporaryDirectory() as folder:
        rows, held_out = Path(folder) / "rows.jsonl", Path(folder) / "held_out.jsonl"
        rows.write_text("".join(line + "\n" for line in planted.lines), encoding="utf-8")
        held_out.write_text("".join(line + "\n" for line in planted.held_out), encoding="utf-8")
        for name, lines in beside.items():
            (Path(folder) / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        against = ["--against", str(held_out)] if planted.held_out else []
        config = ["--config", str(_config(Path(folder), listed))] if listed else []
        command = [sys.executable, "-m", "truetune.cli.main", "check", str(rows), *against, *config, "--json"]
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
    if done.returncode not in (0, 1, 4):
        raise GateError(f"`truetune check` ended with {done.returncode}: {(done.stderr or done.stdout)[-2000:]}")
    return json.loads(done.stdout), seconds


def _config(folder: Path, listed: Sequence[do_not_train.Entry]) -> Path:
    (folder / "list.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in listed), encoding="utf-8")
    config = folder / "truetune.yaml"
    data = "{sources: [rows.jsonl], do_not_train: list.jsonl}"
    config.write_text(f"task: planted\nbase: planted\ndata: {data}\n", encoding="utf-8")
    return config


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and say whether the targets were reached."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faults.run", description="Recall and false alarms of every check."
    )
    parser.add_argument("--write", action="store_true", help="write docs/reference/fault-table.md")
    parser.add_argument("--per-kind", type=int, default=PER_KIND, help="faults of each kind in each corpus")
    parser.add_argument("--seed", type=int, default=SEED, help="where and what is planted")
    parser.add_argument("--only", nargs="+", choices=parts(0, 0), help="measure only these parts, and write nothing")
    parser.add_argument("--show-missed", type=int, default=0, metavar="N", help="print N missed faults of each kind")
    options = parser.parse_args(argv)
    results, skipped = [], []
    for name, measured in parts(options.per_kind, options.seed).items():
        if options.only and name not in options.only:
            continue
        for result in measured():
            if isinstance(result, str):
                skipped.append(result)
                print(result)
            else:
                results.append(result)
                print(f"\n{section(result)}", flush=True)
    for line in _missed_texts(results, options.show_missed):
        print(line)
    if options.write and not options.only:
        TABLE.parent.mkdir(parents=True, exist_ok=True)
        TABLE.write_text(page(results, skipped), encoding="utf-8")
    missed = misses(results)
    print("\n" + ("\n".join(missed) if missed else "every target is met"))
    return 1 if missed else 0


Measured = Iterator[Result | str]
"""Results, and the reasons why some could not be had."""


def parts(per_kind: int, seed: int) -> dict[str, Callable[[], Measured]]:
    """What is measured, by the name that `--only` takes."""
    few = min(per_kind, answers.PER_KIND)
    return {
        "example": lambda: iter([shipped_example()]),
        "rows": lambda: (c if isinstance(c, str) else measure(c, per_kind, seed) for c in available()),
        "answers": lambda: _few("answers and encodings", answers.plantings(), few, seed),
        "json": lambda: _few("the form of JSON answers", schemas.plantings(), few, seed),
        "pairs": lambda: _few("preference pairs", preferences.plantings(), few, seed),
        "sets": lambda: (c if isinstance(c, str) else measure_wholes(c, few, seed) for c in preferences.corpora()),
        "personal": lambda: _few("personal data", personal.plantings(), few, seed),
        "do-not-train": lambda: (c if isinstance(c, str) else measure_listed(c, few, seed) for c in do_not_train.corpora()),
        "languages": lambda: _few("languages", languages.plantings(), few, seed),
        "wholes": lambda: (c if isinstance(c, str) else measure_sets(*c, few, seed) for c in sets.corpora()),
        "triplets": lambda: _few("embedding triplets", triplets.plantings(), few, seed),
        "sides": lambda: (c if isinstance(c, str) else measure_sides(c, few, seed) for c in available()),
        "metadata": lambda: (c if isinstance(c, str) else measure_provenance(c, few, seed) for c in provenance.plantings()),
    }


def _few(about: str, plantings: Iterable[tuple[Corpus, tuple[Kind, ...]] | str], per_kind: int, seed: int) -> Measured:
    for planting in plantings:
        yield planting if isinstance(planting, str) else measure_few(about, *planting, per_kind, seed)


def _missed_texts(results: Iterable[Result], n: int) -> Iterator[str]:
    for result in results:
        for kind, texts in result.tally.missed.items():
            yield from (f"missed, {result.name}, {kind}: {text}" for text in texts[:n])


if __name__ == "__main__":
    sys.exit(main())
