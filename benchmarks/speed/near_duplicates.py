"""Near copies: how many are found, how many alarms are false, at what cost; beside Data-Juicer's minhash operator in one run.

    python -m benchmarks.speed.near_duplicates                                  # 10,000 and 100,000 rows
    python -m benchmarks.speed.near_duplicates --rows 10000 100000 1000000
    python -m benchmarks.speed.near_duplicates --rival-python VENV/bin/python   # a Python that has py-data-juicer
    python -m benchmarks.speed.near_duplicates --seed 7                         # another corpus
    TRUETUNE_COMPILED=0 python -m benchmarks.speed.near_duplicates              # NumPy in place of the compiled part

Every measurement is a process of its own. Its CPU seconds (user and system, all threads) run from texts in memory to pairs and
clusters; imports and reading are outside for both sides. A row is called a copy if it is not the first of its cluster; recall is
over planted rows, precision over rows called copies (a planted paraphrase is no false alarm, and no hit that is needed). Measured
are the bare engine at a share of common words, and the gate's index on it, which leaves out shared wording and compares the order
and the sentences of every pair.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.speed.copies_corpus import Row, available_seeds, corpus

from truetune.core.compiled import COMPILED
from truetune.stages.data.neighbours import THRESHOLD, SimilarityIndex
from truetune.stages.data.neighbours.components import components
from truetune.stages.data.neighbours.prompts import PromptIndex

SEED = 2026
REPEATS = 3
RIVAL = Path(__file__).with_name("near_duplicates_rival.py")
RIVAL_SETTINGS: dict[str, dict[str, int]] = {
    "as it comes": {},
    "equal recall, fastest": {"window_size": 1, "num_permutations": 80, "num_bands": 20, "num_rows_per_band": 4},
    "equal recall, most precise": {"window_size": 1, "num_permutations": 180, "num_bands": 30, "num_rows_per_band": 6},
}
"""At 0.995 of the near copies or more, of the settings tried (single words and pairs; 2 to 6 rows a band, 8 to 60 bands):
the fastest,
and the one with the fewest false alarms."""
RIVAL_ROWS_MOST = 100_000


@dataclass(frozen=True)
class Cost:
    """What one process used, and which rows it called copies."""

    cpu_s: float
    peak_bytes: int
    copies: frozenset[int]


@dataclass(frozen=True)
class Score:
    """Shares of planted rows called copies, and how many of the rows called copies are planted."""

    exact: float
    near: float
    paraphrase: float
    precision: float


def score(rows: Sequence[Row], copies: frozenset[int]) -> Score:
    """Recall by kind and precision of the rows called copies."""
    first: dict[int, int] = {}
    for position, row in enumerate(rows):
        first.setdefault(row.group, position)
    later = {position for position, row in enumerate(rows) if first[row.group] != position}

    def recall(kind: str) -> float:
        planted = [position for position, row in enumerate(rows) if row.kind == kind]
        return sum(position in copies for position in planted) / len(planted)

    return Score(recall("exact"), recall("near"), recall("paraphrase"), len(copies & later) / max(len(copies), 1))


def ours(texts: Path, threshold: float | None) -> Cost:
    """The engine at a threshold, or the gate's index, on a file of texts, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.speed.near_duplicates", "--worker", str(texts)]
    command += ["--gate"] if threshold is None else ["--threshold", str(threshold)]
    return _cost(json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()[-1]))


def rival(python: str, texts: Path, rows: int, settings: dict[str, int]) -> Cost:
    """Data-Juicer on the same file."""
    done = subprocess.run([python, str(RIVAL), str(texts), json.dumps(settings)], capture_output=True, check=True, text=True)
    report = json.loads(done.stdout.splitlines()[-1])
    return _cost({**report, "copies": sorted(set(range(rows)) - set(report["kept"]))})


def _cost(report: dict[str, object]) -> Cost:
    cpu_s, peak, copies = report["cpu_s"], report["peak_bytes"], report["copies"]
    assert isinstance(cpu_s, float)
    assert isinstance(peak, int)
    assert isinstance(copies, list)
    return Cost(cpu_s, peak, frozenset(copies))


def engine_clusters(texts: Sequence[str], threshold: float) -> tuple[int, list[int]]:
    """How many pairs the engine finds, and for each text the first one of its cluster."""
    index = SimilarityIndex(texts, threshold)
    return len(index.verified_pairs()), index.clusters().tolist()


def gate_clusters(texts: Sequence[str]) -> tuple[int, list[int]]:
    """The same of the gate's near-duplicates."""
    index = PromptIndex(texts, 0.8)
    near = index.pairs.near()
    edges = list(zip(near.a.tolist(), near.b.tolist(), strict=True))
    cluster = np.array(components(len(index.members), edges))[index.node_of]
    return len(near), np.unique(cluster, return_index=True)[1][np.unique(cluster, return_inverse=True)[1]].tolist()


def work(texts_file: Path, threshold: float | None) -> None:
    """What is measured: index, pairs, clusters."""
    texts = json.loads(texts_file.read_text(encoding="utf-8"))
    before_bytes = _rss_bytes()
    start = _cpu_s()
    pairs, clusters = gate_clusters(texts) if threshold is None else engine_clusters(texts, threshold)
    used = _cpu_s() - start
    copies = [row for row, first in enumerate(clusters) if first != row]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"cpu_s": used, "peak_bytes": peak, "texts_bytes": before_bytes, "pairs": pairs, "copies": copies}))


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def _rss_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def why_no_rival(python: str | None) -> str | None:
    """Why Data-Juicer is not measured, or None if it can be."""
    if python is None:
        return "py-data-juicer: skipped, give --rival-python PATH of a Python that has it"
    probe = "from data_juicer.ops.deduplicator import document_minhash_deduplicator"
    try:
        done = subprocess.run([python, "-c", probe], capture_output=True, check=False, text=True)
    except OSError as error:
        return f"py-data-juicer: skipped, {python} does not run ({error.strerror})"
    lines = done.stderr.strip().splitlines()
    return (
        f"py-data-juicer: skipped, it does not import in {python}: {lines[-1] if lines else 'no reason given'}"
        if done.returncode
        else None
    )


def line(name: str, rows: int, cost: Cost, found: Score) -> str:
    """One row of the table."""
    return (
        f"{rows:>9,}  {name:<28} {cost.cpu_s:8.2f} {rows / cost.cpu_s:10,.0f} {cost.peak_bytes / 2**20:8,.0f}"
        f"   {found.exact:.4f}  {found.near:.4f}  {found.precision:.4f}   {found.paraphrase:.3f}"
    )


def measure(rows: int, seed: int, thresholds: Sequence[float], python: str | None) -> None:
    """One corpus, every tool."""
    start = time.monotonic()
    planted = corpus(rows, seed, available_seeds())
    characters = sum(len(row.text) for row in planted) / rows
    print(f"{rows:>9,}  (corpus made in {time.monotonic() - start:.0f} s, {characters:.0f} characters a row)")
    with tempfile.TemporaryDirectory() as folder:
        texts = Path(folder, "texts.json")
        texts.write_text(json.dumps([row.text for row in planted]), encoding="utf-8")
        for threshold in (*thresholds, None):
            repeats = REPEATS if rows <= RIVAL_ROWS_MOST else 1
            best = min((ours(texts, threshold) for _ in range(repeats)), key=lambda cost: cost.cpu_s)
            print(
                line(
                    "truetune, the gate" if threshold is None else f"truetune, share {threshold:.2f}",
                    rows,
                    best,
                    score(planted, best.copies),
                ),
                flush=True,
            )
        if python is None or rows > RIVAL_ROWS_MOST:
            return
        for name, settings in RIVAL_SETTINGS.items():
            cost = rival(python, texts, rows, settings)
            print(line(f"data-juicer, {name}", rows, cost, score(planted, cost.copies)), flush=True)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--seed", type=int, default=SEED, help="of the corpus")
    parser.add_argument("--thresholds", type=float, nargs="+", default=[THRESHOLD])
    parser.add_argument("--rival-python")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--gate", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--threshold", type=float, default=THRESHOLD, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker, None if options.gate else options.threshold)
        return
    reason = why_no_rival(options.rival_python)
    print(reason or f"py-data-juicer: {options.rival_python}")
    print(f"compiled part: {'in use' if COMPILED else 'not in use, NumPy in its place'}")
    print(f"seeds: {available_seeds().name}; corpus seed {options.seed}")
    print(f"CPU seconds of the best of {REPEATS} processes (rival: one)\n")
    print("     rows  tool                            CPU s  rows/CPU s  peak MiB  exact   near    precision paraphrase")
    for rows in options.rows:
        measure(rows, options.seed, options.thresholds, None if reason else options.rival_python)


if __name__ == "__main__":
    main()
