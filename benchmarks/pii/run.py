"""What is found of planted personal data and keys, what is a false alarm, and how many records a CPU second screens.

    python -m benchmarks.pii.run                                     # ours alone
    python -m benchmarks.pii.run --rival-python VENV/bin/python      # beside presidio, on the same texts in one run
    python -m benchmarks.pii.run --rival-python ... --write          # and write docs/reference/personal-data.md

Texts are support messages joined to 60 to 200 words; 15 % hold personal data at known places, half hold one to three values that
resemble it and are none. A find counts where it overlaps a planted value of its kind; every other find is a false one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.pii import keys
from benchmarks.pii.corpus import Text, Truth, corpus, planted
from benchmarks.pii.values import MAKERS
from benchmarks.real_data import REPOSITORY, DataAbsentError, data_folder

from truetune.core.sensitive.personal import find_pii
from truetune.core.sensitive.secrets import find_secrets

SEED = 2027
TUNING_SEED = 7
ROWS = 20_000
RIVAL_ROWS = 2_000
PER_KEY = 50
REPEATS = 3
PAGE = REPOSITORY / "docs" / "reference" / "personal-data.md"
HERE = Path(__file__).parent
PHONE_MODES = {"matcher": "phonenumbers, its own search", "stage": "phonenumbers, asked of each run of digits"}
SCANNERS = ("kingfisher", "betterleaks")
RECALL_TARGET, PRECISION_TARGET, SPEED_TARGET = 0.98, 0.95, 15_000
REAL_NAMES = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "credit_card",
    "US_SSN": "ssn",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip_address",
}
"""The entities of the 1,500 sentences that a pattern can tell; the others (names, streets, dates …) are not looked for."""

Found = tuple[str, int, int]


@dataclass
class Counts:
    """Of one kind: planted, found of these, and finds that are none."""

    planted: int = 0
    hit: int = 0
    false: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of the planted values that were found."""
        return self.hit / self.planted if self.planted else 0.0

    @property
    def precision(self) -> float:
        """Share of the finds that are planted values."""
        return self.hit / (self.hit + self.false) if self.hit + self.false else 0.0


def count(texts: Sequence[Text], found: Sequence[Sequence[Found]], kinds: Sequence[str]) -> dict[str, Counts]:
    """Compare finds with the truth, kind by kind."""
    counts = {kind: Counts() for kind in kinds}
    for text, spans in zip(texts, found, strict=True):
        for truth in text.truths:
            if truth.kind in counts:
                of_kind = counts[truth.kind]
                of_kind.planted += 1
                if any(kind == truth.kind and start < truth.end and truth.start < end for kind, start, end in spans):
                    of_kind.hit += 1
                else:
                    of_kind.missed.append(text.text[max(0, truth.start - 40) : truth.end + 20])
        for kind, start, end in spans:
            if kind in counts and not any(t.kind == kind and start < t.end and t.start < end for t in text.truths):
                counts[kind].false += 1
                counts[kind].wrong.append(text.text[max(0, start - 40) : end + 20])
    return counts


def ours(texts: Sequence[Text]) -> list[list[Found]]:
    """What our screen finds."""
    return [[(span.kind, span.start, span.end) for span in find_pii(text.text)] for text in texts]


def records_per_cpu_s(texts: Sequence[Text], *screens: Callable[[str], object]) -> float:
    """The best of a few passes over all texts."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        for text in texts:
            for screen in screens:
                screen(text.text)
        best = min(best, time.process_time() - start)
    return len(texts) / best


@dataclass(frozen=True)
class Rival:
    """What presidio found, in which time, and which of our kinds it knows."""

    found: list[list[Found]]
    entities: tuple[str, ...]
    records_per_cpu_s: float


def rival(python: str, script: str, texts: Sequence[Text]) -> Rival:
    """A library on the same texts, in a process of its own; imports are not counted. `script` is the file and its arguments."""
    report = _reported(python, script, texts)
    found = [[(kind, start, end) for kind, start, end in spans] for spans in report["found"]]
    return Rival(found, tuple(report["entities"]), len(texts) / report["cpu_s"])


def _reported(python: str, script: str, texts: Sequence[Text]) -> dict[str, Any]:
    name, *arguments = script.split()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.json"
        path.write_text(json.dumps([text.text for text in texts]), encoding="utf-8")
        done = subprocess.run([python, str(HERE / name), *arguments, str(path)], capture_output=True, check=True, text=True)
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def real_sentences() -> list[Text]:
    """The 1,500 synthetic sentences of presidio-research, with the spans of the entities that a pattern can tell.

    Raises:
        DataAbsentError: the data set is not on this machine.
    """
    path = data_folder() / "presidio_pii_synth" / "synth_dataset_v2.json"
    if not path.is_file():
        raise DataAbsentError(f"{path.parent.name} is not in {data_folder()}; set TRUETUNE_SHARED_DATA to the folder that has it")
    return [
        Text(
            row["full_text"],
            tuple(
                Truth(REAL_NAMES[s["entity_type"]], s["start_position"], s["end_position"])
                for s in row["spans"]
                if s["entity_type"] in REAL_NAMES
            ),
        )
        for row in json.loads(path.read_text(encoding="utf-8"))
    ]


def table(columns: dict[str, dict[str, Counts]], kinds: Sequence[str]) -> Iterator[str]:
    """Recall and precision, a row a kind, a pair of columns a tool."""
    names = list(columns)
    yield "| entity | values | " + " | ".join(f"recall, {n} | precision, {n}" for n in names) + " |"
    yield "| --- | ---: |" + " ---: | ---: |" * len(names)
    for kind in kinds:
        values = next(iter(columns.values()))[kind].planted
        cells = [_cells(columns[name].get(kind)) for name in names]
        yield f"| {kind} | {values} | " + " | ".join(cells) + " |"


def _cells(counts: Counts | None) -> str:
    return "not looked for |" if counts is None else f"{counts.recall:.3f} | {counts.precision:.3f}"


def phone_lines(python: str, texts: dict[str, Sequence[Text]]) -> list[str]:
    """Telephone numbers: our rules beside the library, on each set of texts."""
    lines = ["| telephone numbers | texts | recall | precision | records per CPU second |", "| --- | --- | ---: | ---: | ---: |"]
    for name, some in texts.items():
        own = count(some, ours(some), ["phone"])["phone"]
        speed = f"(all entities) {records_per_cpu_s(some, find_pii):,.0f}"
        lines.append(f"| our rules | {name} | {own.recall:.3f} | {own.precision:.3f} | {speed} |")
        for mode, title in PHONE_MODES.items():
            other = rival(python, f"phonenumbers_rival.py {mode}", some)
            of_other = count(some, other.found, ["phone"])["phone"]
            lines.append(
                f"| {title} | {name} | {of_other.recall:.3f} | {of_other.precision:.3f} | {other.records_per_cpu_s:,.0f} |"
            )
    return lines


def key_table(seed: int, python: str | None) -> tuple[list[str], list[str]]:
    """What is flagged of each provider's key and of what resembles one, a column a tool; and our misses of the target."""
    carriers = dict.fromkeys([*keys.KEYS, *keys.NO_KEYS], keys.KEY_CARRIERS)
    texts = planted({**keys.KEYS, **keys.NO_KEYS}, carriers, PER_KEY, seed)
    start = time.process_time()
    flagged = {"ours": [_overlaps(text) if text.truths[0].kind in keys.KEYS else bool(find_secrets(text.text)) for text in texts]}
    cpu_s = {"ours": time.process_time() - start}
    for scanner in SCANNERS if python else ():
        report = _reported(str(python), f"secrets_rival.py {scanner}", texts)
        flagged[scanner], cpu_s[scanner] = report["flagged"], report["cpu_s"]
    counts = {
        name: Counter(text.truths[0].kind for text, flag in zip(texts, flags, strict=True) if flag)
        for name, flags in flagged.items()
    }
    lines = [f"| key, {PER_KEY} of each | " + " | ".join(counts) + " |", "| --- |" + " ---: |" * len(counts)]
    lines += [f"| {kind} | " + " | ".join(str(of[kind]) for of in counts.values()) + " |" for kind in keys.KEYS]
    lines += [f"| _none:_ {kind} | " + " | ".join(str(of[kind]) for of in counts.values()) + " |" for kind in keys.NO_KEYS]
    lines.append("| records per CPU second | " + " | ".join(f"{len(texts) / cpu:,.0f}" for cpu in cpu_s.values()) + " |")
    own = counts["ours"]
    missed = [f"{kind}: recall {own[kind] / PER_KEY:.2f}" for kind in keys.KEYS if own[kind] < RECALL_TARGET * PER_KEY]
    return lines, missed + [f"{kind}: {own[kind]} of {PER_KEY} flagged" for kind in keys.NO_KEYS if own[kind]]


def _overlaps(text: Text) -> bool:
    truth = text.truths[0]
    return any(span.start < truth.end and truth.start < span.end for span in find_secrets(text.text))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and say whether the targets were reached."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pii.run", description="Personal data and keys: recall, precision, speed."
    )
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seed", type=int, default=SEED, help=f"{TUNING_SEED} is the one that the rules were tuned on")
    parser.add_argument("--rival-python", help="a Python that has presidio-analyzer")
    parser.add_argument("--write", action="store_true", help="write docs/reference/personal-data.md")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N misses and false finds of each kind")
    options = parser.parse_args(argv)
    kinds = list(MAKERS)
    texts = corpus(options.rows, options.seed)
    counts = count(texts, ours(texts), kinds)
    parts = [_head(options.rows, options.seed)]
    columns = {"ours": counts}
    speeds = [
        f"| ours, personal data | {records_per_cpu_s(texts, find_pii):,.0f} |",
        f"| ours, personal data and secrets | {records_per_cpu_s(texts, find_pii, find_secrets):,.0f} |",
    ]
    fewer = texts[:RIVAL_ROWS]
    if options.rival_python:
        other = rival(options.rival_python, "presidio_rival.py", fewer)
        columns["presidio"] = {k: c for k, c in count(fewer, other.found, kinds).items() if k in other.entities}
        speeds.append(f"| presidio, patterns only (first {RIVAL_ROWS:,} texts) | {other.records_per_cpu_s:,.0f} |")
    parts += [
        "## Planted values",
        "\n".join(table(columns, kinds)),
        "\n".join(["| screen | records per CPU second |", "| --- | ---: |", *speeds]),
    ]
    parts += _real_part(options.rival_python, options.show, fewer)
    key_lines, missed = key_table(options.seed, options.rival_python)
    parts += ["## Keys and tokens", "\n".join(key_lines)]
    page = "\n\n".join(parts) + "\n"
    print(page)
    if options.show:
        _show(counts, options.show)
    if options.write:
        PAGE.write_text(page, encoding="utf-8")
    for kind, of_kind in counts.items():
        if of_kind.recall < RECALL_TARGET or of_kind.precision < PRECISION_TARGET:
            missed.append(f"{kind}: recall {of_kind.recall:.3f}, precision {of_kind.precision:.3f}")
    print("\n".join(missed) if missed else "every target is met")
    return 1 if missed else 0


def _head(rows: int, seed: int) -> str:
    return f"""<!-- made by `python -m benchmarks.pii.run --write`; do not edit by hand -->
# Personal data and keys: what is found

{rows:,} texts of 60 to 200 words (support messages joined, seed {seed}; the rules were tuned on seed {TUNING_SEED}). 15 % hold
one or two values of personal data; half hold one to three values that resemble it and are none: order numbers, versions, dates,
ISBNs, prices, hashes, UUIDs, tracking numbers, numbers that fail their checksum. A find counts where it overlaps a planted value
of its kind. Targets: recall {RECALL_TARGET}, precision {PRECISION_TARGET}, {SPEED_TARGET:,} records per CPU second. presidio has
its pattern recognizers only, at the score (0.4) below which it reports nothing but weak patterns without context."""


def _real_part(rival_python: str | None, show: int, fewer: Sequence[Text]) -> list[str]:
    try:
        sentences = real_sentences()
    except DataAbsentError as absent:
        return [f"_skipped: {absent}_"]
    kinds = list(REAL_NAMES.values())
    columns = {"ours": count(sentences, ours(sentences), kinds)}
    if show:
        _show(columns["ours"], show)
    if rival_python:
        other = rival(rival_python, "presidio_rival.py", sentences)
        columns["presidio"] = {k: c for k, c in count(sentences, other.found, kinds).items() if k in other.entities}
    text = """Public sentences made by others (presidio-research). Names of people, streets, places, organisations, dates, ages,
titles, nationalities, post codes, domain names and driving licences are in them too; these patterns do not look for them. Our
phone rules were written while looking at what they missed here (0.913 before): of these rows they are no blind test."""
    parts = ["## The 1,500 sentences of presidio-research", text, "\n".join(table(columns, kinds))]
    if rival_python:
        parts.append("\n".join(phone_lines(rival_python, {"planted": fewer, "sentences": sentences})))
    return parts


def _show(counts: dict[str, Counts], n: int) -> None:
    for kind, of_kind in counts.items():
        for text in of_kind.missed[:n]:
            print(f"missed {kind}: {text!r}")
        for text in of_kind.wrong[:n]:
            print(f"false {kind}: {text!r}")


if __name__ == "__main__":
    sys.exit(main())
