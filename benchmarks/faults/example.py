"""Makes the files of `examples/support-triage` out of the hand-written messages, with faults planted on purpose.

    python -m benchmarks.faults.example           # are the committed files what this makes?
    python -m benchmarks.faults.example --write   # make them

The faults that people will read here use only data that is documented as fictional, and slips instead of random edits.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random

from benchmarks.faults.corpora import support_triage
from benchmarks.faults.plant import KINDS, Fault, Kind, Planted, plant, with_item
from benchmarks.faults.samples import Maker
from benchmarks.real_data import REPOSITORY

EXAMPLE = REPOSITORY / "examples" / "support-triage"
SEED = 17
GOLD_ITEMS = 60
TABLE_START, TABLE_END = "<!-- planted faults: start -->", "<!-- planted faults: end -->"

_DOCUMENTED: dict[str, tuple[str, ...]] = {
    "email": ("petra.linde@example.com", "tom_hazel@fernhollow.test", "k-osei@example.org"),
    "phone": ("(202) 555-0143", "+1 415-555-0132"),
    "credit_card": ("4111 1111 1111 1111", "5555555555554444"),
    "iban": ("GB82 WEST 1234 5698 7654 32", "DE89370400440532013000"),
    "ip_address": ("192.0.2.146",),
    "secret": ("AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE", "ASIAIOSFODNN7EXAMPLE"),
}
"""Reserved names and numbers (RFC 2606, RFC 5737, 555-01xx), the card networks' test cards, the sample IBANs of the standard's
own documentation, and the access keys of AWS's documentation."""


def counts() -> dict[Kind, int]:
    """How many faults of which kind the example carries."""
    personal = {_documented(f"pii, {name}", name): len(items) for name, items in _DOCUMENTED.items() if name != "secret"}
    return {
        KINDS["duplicate, exact"]: 12,
        KINDS["duplicate, slip"]: 14,
        KINDS["contradiction"]: 10,
        KINDS["leak, exact"]: 5,
        KINDS["leak, near"]: 3,
        KINDS["leak, answer in prompt"]: 3,
        **personal,
        _documented("secret", "secret"): len(_DOCUMENTED["secret"]),
        KINDS["empty"]: 8,
        KINDS["malformed"]: 8,
        KINDS["type"]: 3,
        KINDS["role"]: 3,
    }


def _documented(name: str, carrier: str) -> Kind:
    return Kind(name, KINDS[name].code, "row", with_item(carrier, _in_turn(_DOCUMENTED[carrier])))


def _in_turn(items: Sequence[str]) -> Maker:
    left = list(items)

    def next_item(rng: Random) -> str:
        return left.pop(0)

    return next_item


def files() -> dict[str, str]:
    """Path under the example folder → content, for every file that is made and not written by hand."""
    planted = plant(support_triage(held_out=GOLD_ITEMS, seed=SEED), counts(), SEED)
    return {
        "data/tickets.jsonl": "".join(line + "\n" for line in planted.lines),
        "evals/gold.jsonl": "".join(line + "\n" for line in planted.held_out),
        "faults.json": json.dumps(truth(planted), indent=1) + "\n",
        "README.md": with_table((EXAMPLE / "README.md").read_text(encoding="utf-8"), table(planted)),
    }


def truth(planted: Planted) -> dict[str, object]:
    """What was planted, as `faults.json` says it. The checks are never given this file."""
    faults = [{k: v for k, v in asdict(f).items() if v is not None} for f in in_order(planted.faults)]
    return {"file": "data/tickets.jsonl", "held_out": "evals/gold.jsonl", "rows": len(planted.lines), "faults": faults}


def in_order(faults: Sequence[Fault]) -> list[Fault]:
    """Faults by kind, in the order in which the kinds are listed, then by line."""
    order = list(KINDS)
    return sorted(faults, key=lambda f: (order.index(f.kind), f.line))


def table(planted: Planted) -> str:
    """The planted faults as a Markdown table, a row a kind."""
    lines = ["| kind | found as | how many | lines |", "| --- | --- | --- | --- |"]
    by_kind: dict[str, list[Fault]] = {}
    for fault in in_order(planted.faults):
        by_kind.setdefault(fault.kind, []).append(fault)
    for kind, faults in by_kind.items():
        lines.append(f"| {kind} | `{faults[0].code}` | {len(faults)} | {', '.join(map(_place, faults))} |")
    return "\n".join(lines)


def _place(fault: Fault) -> str:
    if fault.partner is not None:
        return f"{fault.line} (of {fault.partner})"
    return f"{fault.line} (gold {fault.held_out})" if fault.held_out is not None else str(fault.line)


def with_table(readme: str, content: str) -> str:
    """The README with the table between its two markers replaced."""
    before, rest = readme.split(TABLE_START)
    after = rest.split(TABLE_END)[1]
    return f"{before}{TABLE_START}\n{content}\n{TABLE_END}{after}"


def stale(made: dict[str, str]) -> list[str]:
    """The committed files that differ from what is made."""
    return [name for name, content in made.items() if _read(EXAMPLE / name) != content]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(argv: Sequence[str]) -> int:
    """Write the files, or exit 1 and name those that differ."""
    made = files()
    if "--write" in argv:
        for name, content in made.items():
            path = EXAMPLE / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    different = stale(made)
    print("\n".join(f"differs: {name}" for name in different) or f"{len(made)} files are what they should be")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
