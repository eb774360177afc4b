"""Who catches what, at which cost: truetune beside other tools, on the same planted rows, in one run.

    python -m benchmarks.rivals.run --soup PYTHON --modelbrew PYTHON --data-juicer PYTHON [--write]

Each option names a Python that has the tool (soup-cli[data], modelbrew-cleaner, py-data-juicer); a tool without one is left out,
and the page says so. The rows are those of the fault table. To be fair to the others, a fault counts as caught when any claim of
the right family names its line *or* the line that it was copied from; where a tool prints only a count, the count is believed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.corpora import Corpus, available
from benchmarks.faults.plant import KINDS, Planted, plant
from benchmarks.real_data import REPOSITORY

PER_KIND = 25
SEED = 4711
PAGE = REPOSITORY / "docs" / "reference" / "rivals.md"
HERE = Path(__file__).parent
LEFT_OUT = ("duplicate, slip", "look-alike")
COPIES = ("duplicate, exact", "duplicate, near")
LEAKS = ("leak, exact", "leak, near")
PII = tuple(kind for kind in KINDS if kind.startswith("pii, "))

FAMILIES: dict[str, Mapping[str, Sequence[str]]] = {
    "soup": {
        "dedup": (*COPIES, "contradiction"),
        "pii email": ("pii, email",),
        "pii phone": ("pii, phone",),
        "pii ssn": ("pii, ssn",),
        "pii credit_card": ("pii, credit_card",),
        "decontaminate": LEAKS,
        "validate: invalid JSON": ("malformed",),
        "validate: rows fail to convert": ("type", "role"),
        "validate: empty fields": ("empty",),
    },
    "modelbrew": {
        "duplicate_exact": COPIES,
        "duplicate_near": COPIES,
        "duplicate_conversation": COPIES,
        "missing_content": ("empty", "type"),
        "missing_assistant": ("role", "empty"),
        "invalid_role": ("role",),
        "system_message": ("role",),
        "excessive_whitespace": ("empty",),
        "too_short": ("empty",),
        "lazy_output": ("empty",),
        "pii_email": ("pii, email",),
        "pii_phone": ("pii, phone",),
        "pii_ssn": ("pii, ssn",),
        "pii_credit_card": ("pii, credit_card",),
        "pii_iban": ("pii, iban",),
        "pii_ip": ("pii, ip_address",),
        "pii_api_key": ("secret",),
        "label_error": ("contradiction",),
        "contradict": ("contradiction",),
    },
    "data-juicer": {
        "document_deduplicator": COPIES,
        "document_minhash_deduplicator": (*COPIES, "contradiction"),
        "pii_redaction_mapper": (*PII, "secret"),
    },
}
"""Which claims speak of which faults, by how the tool's code begins. What is not named here counts as a flag all the same."""


@dataclass
class Said:
    """What a tool said: lines by claim, counts by claim, CPU seconds, and what had to be done to make it run.

    `quiet` are claims that the tool itself makes nothing of: they can catch a fault and are no false alarm.
    """

    flags: dict[str, list[int]]
    quiet: dict[str, list[int]]
    counts: dict[str, int]
    cpu_s: float
    notes: list[str]


@dataclass
class Row:
    """A tool on one corpus."""

    tool: str
    caught: dict[str, tuple[int, int]]
    clean: int
    clean_flagged: int
    worst_claim: str
    cpu_s: float
    rows: int
    notes: list[str] = field(default_factory=list)


def kinds() -> list[str]:
    """The kinds of fault that are planted."""
    return [name for name in KINDS if name not in LEFT_OUT]


def ask(python: str, script: str, rows: Path, held_out: Path) -> Said:
    """Run a rival's script with the rival's Python.

    Raises:
        RuntimeError: it printed no result.
    """
    done = subprocess.run([python, str(HERE / script), str(rows), str(held_out)], capture_output=True, text=True, check=False)
    try:
        return Said(**json.loads(done.stdout.strip().splitlines()[-1]))
    except (ValueError, IndexError, TypeError) as error:
        raise RuntimeError(f"{script} gave no result: {(done.stderr or done.stdout)[-1500:]}") from error


def truetune(rows: Path, held_out: Path) -> Said:
    """What `truetune check` says, at `warn` or above."""
    before = _children_cpu_s()
    command = [sys.executable, "-m", "truetune", "check", str(rows), "--against", str(held_out), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    flags: dict[str, list[int]] = {}
    for finding in json.loads(done.stdout)["findings"]:
        if finding["severity"] != "note":
            flags.setdefault(finding["code"], []).extend(r["line"] for r in finding["rows"] if r["file"] == str(rows))
    return Said(flags, {}, {}, _children_cpu_s() - before, [])


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(corpus: Corpus, pythons: Mapping[str, str], seed: int) -> list[Row]:
    """Every tool on one planting of a corpus."""
    per_kind = min(PER_KIND, (len(corpus.rows) - 150) // len(kinds()))
    planted = plant(corpus, dict.fromkeys([KINDS[name] for name in kinds()], per_kind), seed)
    scripts = {"soup": "soup.py", "modelbrew": "modelbrew.py", "data-juicer": "juicer.py"}
    with tempfile.TemporaryDirectory() as name:
        rows, held_out = Path(name) / "rows.jsonl", Path(name) / "held_out.jsonl"
        rows.write_text("".join(line + "\n" for line in planted.lines), encoding="utf-8")
        held_out.write_text("".join(line + "\n" for line in planted.held_out), encoding="utf-8")
        found = [_row("truetune", truetune(rows, held_out), planted)]
        for tool, python in pythons.items():
            found.append(_row(tool, ask(python, scripts[tool], rows, held_out), planted))
    return found


def _row(tool: str, said: Said, planted: Planted) -> Row:
    excused = {fault.partner for fault in planted.faults if fault.partner is not None}
    clean = set(planted.clean) - excused
    caught = {}
    for kind in kinds():
        faults = [fault for fault in planted.faults if fault.kind == kind]
        claims = [*said.flags.items(), *said.quiet.items()]
        named = {line for claim, lines in claims if _speaks_of(tool, claim, kind) for line in lines}
        hits = sum(fault.line in named or fault.partner in named for fault in faults)
        counted = sum(n for claim, n in said.counts.items() if _speaks_of(tool, claim, kind))
        caught[kind] = (min(len(faults), max(hits, counted)), len(faults))
    by_claim = {claim: len(clean & set(lines)) for claim, lines in said.flags.items()}
    flagged = clean & {line for lines in said.flags.values() for line in lines}
    worst = max(by_claim, key=lambda claim: by_claim[claim], default="")
    return Row(tool, caught, len(clean), len(flagged), worst if flagged else "", said.cpu_s, len(planted.lines), said.notes)


def _speaks_of(tool: str, claim: str, kind: str) -> bool:
    if tool == "truetune":
        return claim == KINDS[kind].code
    return any(claim.startswith(start) and kind in of for start, of in FAMILIES[tool].items())


def section(corpus: Corpus, rows: Sequence[Row]) -> Iterator[str]:
    """One corpus in Markdown."""
    yield f"## {corpus.name}\n"
    yield "| fault | " + " | ".join(row.tool for row in rows) + " |"
    yield "| --- |" + " ---: |" * len(rows)
    for kind in kinds():
        yield f"| {kind} | " + " | ".join(f"{row.caught[kind][0]} of {row.caught[kind][1]}" for row in rows) + " |"
    yield "| **clean rows flagged** | " + " | ".join(_alarms(row) for row in rows) + " |"
    yield "| **CPU seconds** | " + " | ".join(f"{row.cpu_s:.1f} ({row.rows} rows)" for row in rows) + " |\n"
    for row in rows:
        yield from (f"{row.tool}: {note}.\n" for note in row.notes)


def _alarms(row: Row) -> str:
    share = f"{row.clean_flagged / row.clean:.1%}"
    return f"{share}, most by `{row.worst_claim}`" if row.worst_claim else share


HEAD = """<!-- made by `python -m benchmarks.rivals.run --write`; do not edit by hand -->
# The same planted rows, other tools

Faults of known kinds are planted into three corpora as for [the fault table](fault-table.md), and each tool, with its defaults,
is given the same file and the same held-out rows. A fault counts as caught when a claim of the right family names its line, or
the line that it was copied from; where a tool prints only a count (`soup data validate`), the count is believed. What is done to
let a tool do its best (`soup` compares the rows without the system prompt they share, `data-juicer` sees prompt and answer as one
text) stands in `benchmarks/rivals/`. Clean rows are rows in which nothing was planted.

The other tools are made for other ends too, and do things that truetune does not; this page says only who finds these faults."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals.run", description="Who catches which planted fault.")
    for tool in FAMILIES:
        parser.add_argument(f"--{tool}", metavar="PYTHON", help=f"a Python that has {tool}")
    parser.add_argument("--versions", default="", help="what to say of the tools' versions on the page")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", action="store_true", help="write docs/reference/rivals.md")
    options = vars(parser.parse_args(argv))
    pythons = {tool: options[tool.replace("-", "_")] for tool in FAMILIES if options[tool.replace("-", "_")]}
    parts = [HEAD, f"Versions: {options['versions']}." if options["versions"] else ""]
    parts += [f"_{tool} was not measured: no Python with it was named._" for tool in FAMILIES if tool not in pythons]
    for corpus in available():
        if isinstance(corpus, str):
            parts.append(f"_{corpus}_")
        else:
            parts.append("\n".join(section(corpus, measure(corpus, pythons, options["seed"]))))
            print(parts[-1], flush=True)
    if options["write"]:
        PAGE.write_text("\n\n".join(part for part in parts if part).rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
