"""Who catches what, at which cost: truetune beside other tools, on the same planted rows, in one run.

    python -m venv build/rivals/soup && build/rivals/soup/bin/pip install 'soup-cli[data]'    # and so on, as the page says
    python -m benchmarks.rivals.run --pythons build/rivals --write

`--pythons` is a folder with one virtual environment a tool, named like the tool; a tool without one is left out, and the page
says so. The rows are those of the fault table. To be fair to the others, a fault counts as caught when any claim of the right
family names its line *or* the line that it was copied from; where a tool prints only a count, the count is believed; and where
other settings than the defaults do better on short rows, the tool is measured with these too, chosen on another seed.
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
from benchmarks.rivals import labels

PER_KIND = 25
SEED = 4711
PAGE = REPOSITORY / "docs" / "reference" / "rivals.md"
HERE = Path(__file__).parent
LEFT_OUT = ("duplicate, slip", "look-alike")
COPIES = ("duplicate, exact", "duplicate, near")
LEAKS = ("leak, exact", "leak, near")
TUNED = ", tuned"
PII = tuple(kind for kind in KINDS if kind.startswith("pii, "))


@dataclass(frozen=True)
class Rival:
    """Another tool.

    Attributes:
        needs: what `pip install` is given for it.
        package: the distribution whose version the page names.
        families: which of its claims speak of which faults, by how the claim begins. What is not named here counts as a flag all
            the same.
        script: asks it, in this folder.
        tuned: what the settings are that it is measured with beside its defaults; empty where there are none.
        settings: what is done to let it do its best.
        better: what it does that truetune does not, or does better.
    """

    needs: str
    package: str
    families: Mapping[str, Sequence[str]]
    script: str
    tuned: str
    settings: str
    better: str


RIVALS = {
    "soup": Rival(
        "'soup-cli[data]'",
        "soup-cli",
        {
            "dedup": (*COPIES, "contradiction"),
            "pii email": ("pii, email",),
            "pii phone": ("pii, phone",),
            "pii ssn": ("pii, ssn",),
            "pii credit_card": ("pii, credit_card",),
            "decontaminate": LEAKS,
            "clean": ("empty", "type", "role"),
            "validate: invalid JSON": ("malformed",),
            "validate: rows fail to convert": ("type", "role"),
            "validate: empty fields": ("empty",),
        },
        "soup.py",
        "`dedup --threshold 0.6`, `decontaminate --n 3 --threshold 0.6`",
        "`soup data` `validate`, `clean`, `dedup`, `pii` and `decontaminate`; `dedup` and `decontaminate` see the rows "
        "without the system prompt that all share, with which they would find every row in every other. `dedup --semantic` "
        "needs a model from a hub and was not measured.",
        "It trains on a GPU with many methods, makes synthetic data, mends what it can (`data clean` closes code fences and "
        "repairs JSON in tool calls), and plants canaries that show what a model has memorised.",
    ),
    "modelbrew": Rival(
        "modelbrew-cleaner",
        "modelbrew-cleaner",
        {
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
        "modelbrew.py",
        "",
        "`clean_rows` as it comes; its suggestions can catch a fault and are no false alarm. Duplicates by a sentence "
        "embedding and a judge that is a language model need what this machine does not have, and were not measured.",
        "It looks for prompt injection and unsafe requests in the rows, which truetune does not, and one call exports the "
        "rows in the formats of several trainers.",
    ),
    "data-juicer": Rival(
        "py-data-juicer aiohttp",  # aiohttp is imported and not asked for
        "py-data-juicer",
        {
            "document_deduplicator": COPIES,
            "document_minhash_deduplicator": (*COPIES, "contradiction"),
            "pii_redaction_mapper": (*PII, "secret"),
        },
        "juicer.py",
        "minhash over single words, 180 permutations in 30 bands of 6 (`window_size=1`)",
        "Two deduplicators and the redaction; its operators see prompt and answer as one text, without the system prompt. "
        "None of its operators compares a file with held-out rows, or looks at roles and types.",
        "It has some two hundred operators for pictures, sound, video and text, many of them with a model, and runs on Ray "
        "over far more rows than truetune was measured on; it redacts local paths and identifiers of chat services.",
    ),
}


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


def ask(python: Path, rival: Rival, *arguments: str | Path) -> Said:
    """Run a rival's script with the rival's Python.

    Raises:
        RuntimeError: it printed no result.
    """
    command = [str(part) for part in (python, HERE / rival.script, *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return Said(**json.loads(done.stdout.strip().splitlines()[-1]))
    except (ValueError, IndexError, TypeError) as error:
        raise RuntimeError(f"{rival.script} gave no result: {(done.stderr or done.stdout)[-1500:]}") from error


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


def measure(corpus: Corpus, pythons: Mapping[str, Path], seed: int) -> list[Row]:
    """Every tool on one planting of a corpus."""
    per_kind = min(PER_KIND, (len(corpus.rows) - 150) // len(kinds()))
    planted = plant(corpus, dict.fromkeys([KINDS[name] for name in kinds()], per_kind), seed)
    with tempfile.TemporaryDirectory() as name:
        rows, held_out = Path(name) / "rows.jsonl", Path(name) / "held_out.jsonl"
        rows.write_text("".join(line + "\n" for line in planted.lines), encoding="utf-8")
        held_out.write_text("".join(line + "\n" for line in planted.held_out), encoding="utf-8")
        found = [_row("truetune", truetune(rows, held_out), planted)]
        for tool, python in pythons.items():
            rival = RIVALS[tool]
            found.append(_row(tool, ask(python, rival, rows, held_out), planted))
            if rival.tuned:
                found.append(_row(f"{tool}{TUNED}", ask(python, rival, rows, held_out, "tuned"), planted))
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
    return any(claim.startswith(start) and kind in of for start, of in RIVALS[tool.removesuffix(TUNED)].families.items())


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

Faults of known kinds are planted into three corpora as for [the fault table](fault-table.md), and each tool is given the same
file and the same held-out rows. A fault counts as caught when a claim of the right family names its line, or the line that it
was copied from; where a tool prints only a count (`soup data validate`), the count is believed. Clean rows are rows in which
nothing was planted. CPU seconds are of whole processes, start-up included.

Where other settings than the defaults find more copies and leaks among short rows, the tool has a second column, with
settings chosen on other rows. truetune has its defaults everywhere.

The other tools are made for other ends too, and do things that truetune does not; these are named below."""

AGAIN = """## Measured again

One virtual environment a tool, so that none of them decides the versions of another:

```text
{installs}
python -m benchmarks.rivals.run --pythons build/rivals --write
```

The corpora SNIPS and CLINC150 are looked for in the folder that `TRUETUNE_SHARED_DATA` names; without them the others are
measured. How each tool is asked stands in `benchmarks/rivals/`."""

LABELS = """## Wrong labels: cleanlab

[data.label.noise](../errors/data.label.noise.md) beside cleanlab's confident learning, seed {seed}. 2, 5 and 10 % of the
labels are changed to any other one, or to the one whose rows have the most similar words. *Named* is the share of the k
changed labels that a tool names, beside the clean rows that it names; *in the first k* is the share of them among the first k
rows of its ranking, which needs no threshold. truetune's ranking ends where it says that no more is worth a look.

cleanlab judges the chances that a classifier of the user's gives out of fold. Here, the best of five that were tried on seed
77: a logistic regression on words, pairs of words and runs of letters, in five folds. `prune_by_noise_rate` is its default
filter, `low_self_confidence` the one that named most at the fewest clean rows there. A classifier on sentence embeddings,
which its tutorials use, needs a model from a hub and was not measured. Its CPU seconds are those of the classifier and the
library; truetune's are those of all its checks."""


def install(tool: str, needs: str) -> str:
    """The commands that set a tool up."""
    return f"python -m venv build/rivals/{tool} && build/rivals/{tool}/bin/pip install {needs}"


def version(python: Path, package: str) -> str:
    """The package with its version."""
    asked = f"from importlib.metadata import version; print(version({package!r}))"
    return f"{package} {subprocess.run([str(python), '-c', asked], capture_output=True, text=True, check=True).stdout.strip()}"


def about(pythons: Mapping[str, Path]) -> str:
    """Each tool: how it was asked, and what it does better."""
    lines = ["## The tools"]
    for tool, rival in RIVALS.items():
        measured = version(pythons[tool], rival.package) if tool in pythons else "not measured: no Python with it was named"
        tuned = f" Tuned: {rival.tuned}." if rival.tuned else ""
        lines.append(f"**{tool}** ({measured}). {rival.settings}{tuned} _What it does better:_ {rival.better}")
    return "\n\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals.run", description="Who catches which planted fault.")
    parser.add_argument("--pythons", type=Path, required=True, help="a folder with one virtual environment a tool")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", action="store_true", help="write docs/reference/rivals.md")
    options = parser.parse_args(argv)
    there = {tool: options.pythons.absolute() / tool / "bin" / "python" for tool in (*RIVALS, labels.TOOL)}
    pythons = {tool: there[tool] for tool in RIVALS if there[tool].exists()}
    parts = [HEAD, about(pythons)]
    for corpus in available():
        parts.append(
            f"_{corpus}_" if isinstance(corpus, str) else "\n".join(section(corpus, measure(corpus, pythons, options.seed)))
        )
        print(parts[-1], flush=True)
    parts.append(LABELS.format(seed=labels.SEED))
    if there[labels.TOOL].exists():
        parts.append(f"Version: {version(there[labels.TOOL], labels.TOOL)}, {version(there[labels.TOOL], 'scikit-learn')}.")
        for part in labels.sections(there[labels.TOOL], labels.SEED):
            parts.append(part)
            print(part, flush=True)
        parts.append(labels.BETTER)
    else:
        parts.append(f"_{labels.TOOL} was not measured: no Python with it was named._")
    needs = {**{tool: rival.needs for tool, rival in RIVALS.items()}, labels.TOOL: labels.NEEDS}
    parts.append(AGAIN.format(installs="\n".join(install(tool, packages) for tool, packages in needs.items())))
    if options.write:
        PAGE.write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
