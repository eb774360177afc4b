"""What `soup data` (soup-cli) says of a file, run by a Python that has it: `soup.py ROWS HELD_OUT [tuned]`.

Imports nothing of truetune. Its commands print counts and three examples, or write the rows that they kept or flagged; lines are
found again by content. `dedup` and `decontaminate` compare whole conversations, so they are given the rows without the system
prompt that all share: with it they find nearly every row in every other. Prints one line of JSON: lines by claim, counts by claim
where no lines are given, and CPU seconds.
"""

import json
import re
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

COMMANDS = {
    "clean": ("clean", "rows.jsonl", "-o", "cleaned.jsonl"),
    "dedup": ("dedup", "bare.jsonl", "-o", "kept.jsonl"),
    "pii": ("pii", "-i", "rows.jsonl", "-o", "flagged.jsonl"),
    "decontaminate": ("decontaminate", "-i", "bare.jsonl", "--benchmark-file", "held_out.jsonl", "-o", "clean.jsonl"),
}
TUNED = {"dedup": ("--threshold", "0.6"), "decontaminate": ("--n", "3", "--threshold", "0.6")}
"""More near copies and leaks at 1 to 3 % of the clean rows, on another seed."""


def soup(folder: Path, *arguments: str) -> str:
    """What a `soup data` command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "soup_cli", "data", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def rows_of(path: Path) -> list[dict[str, object]]:
    """The rows that a command wrote; none where it wrote no file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def parsed(lines: list[str]) -> dict[int, str]:
    """Each line that is JSON, in the form in which it can be found again."""
    found = {}
    for number, line in enumerate(lines, 1):
        try:
            found[number] = json.dumps(json.loads(line), sort_keys=True)
        except ValueError:
            continue
    return found


def bare(line: str) -> str:
    """A row without its system prompt; a line that is no such row stays as it is."""
    try:
        row = json.loads(line)
        turns = row["messages"]
        return json.dumps({**row, "messages": [turn for turn in turns if turn["role"] != "system"]})
    except (ValueError, KeyError, TypeError):
        return line


def missing_from(kept: list[dict[str, object]], lines: dict[int, str]) -> list[int]:
    """Lines whose row is not among the kept ones; of equal rows the first is the kept one."""
    left = Counter(json.dumps(row, sort_keys=True) for row in kept)
    gone = []
    for number, row in lines.items():
        if left[row]:
            left[row] -= 1
        else:
            gone.append(number)
    return gone


def main() -> None:
    """Run the commands and report."""
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    known = parsed(lines)
    bare_rows = parsed([bare(line) for line in lines])
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "rows.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        (folder / "bare.jsonl").write_text("".join(bare(line) + "\n" for line in lines), encoding="utf-8")
        held_out = Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()
        (folder / "held_out.jsonl").write_text("".join(bare(line) + "\n" for line in held_out), encoding="utf-8")
        said = " ".join(soup(folder, "validate", "rows.jsonl").split())
        for name, command in COMMANDS.items():
            soup(folder, *command, *(TUNED.get(name, ()) if sys.argv[3:] else ()))
        flagged = rows_of(folder / "flagged.jsonl")
        by_kind: dict[str, list[int]] = {}
        place = {row: number for number, row in known.items()}
        for row in flagged:
            hits = row.pop("_pii_hits", [])
            number = place.get(json.dumps(row, sort_keys=True))
            for kind in {str(hit["kind"]) for hit in hits} if number else ():
                by_kind.setdefault(f"pii {kind}", []).append(number)
        flags = {
            **by_kind,
            "clean": missing_from(rows_of(folder / "cleaned.jsonl"), known),
            "dedup": missing_from(rows_of(folder / "kept.jsonl"), bare_rows),
            "decontaminate": missing_from(rows_of(folder / "clean.jsonl"), bare_rows),
        }
    counts = {
        "validate: invalid JSON": len(re.findall(r"! invalid JSON on line", said)) + more(said, "invalid JSON"),
        "validate: rows fail to convert": number_before(said, "rows fail to convert"),
        "validate: empty fields": number_before(said, "empty fields found"),
    }
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"flags": flags, "counts": counts, "quiet": {}, "cpu_s": used.ru_utime + used.ru_stime, "notes": []}))


def more(said: str, what: str) -> int:
    """The "and N more" that follows the examples of what was found."""
    found = re.search(rf"! {what}[^!]*! \.\.\. and (\d+) more", said)
    return int(found[1]) if found else 0


def number_before(said: str, what: str) -> int:
    """The count that stands before some words; 0 where they are not said."""
    found = re.search(rf"(\d+) {what}", said)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
