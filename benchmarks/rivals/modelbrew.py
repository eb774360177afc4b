"""What modelbrew-cleaner says of a file, run by a Python that has it: `modelbrew.py ROWS HELD_OUT`. Imports nothing of truetune.

Prints one line of JSON: lines by code (`quiet` are its suggestions, which it keeps itself), CPU seconds, and notes. A row of a
wrong type ends its run with an exception; such rows are then taken out, which the note says.
"""

import json
import resource
import sys
from pathlib import Path

from modelbrew_cleaner import clean_rows


def rows_of(path: Path) -> list[tuple[int, dict[str, object]]]:
    """The lines that are JSON objects."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append((number, value))
    return found


def accepted(row: dict[str, object]) -> bool:
    """Does the tool take the row at all, asked about it alone?"""
    try:
        clean_rows([row])
    except Exception:  # Whatever it raises, it is not an answer.
        return False
    return True


def main() -> None:
    """Clean and report."""
    rows = rows_of(Path(sys.argv[1]))
    notes = []
    try:
        found = clean_rows([row for _, row in rows])
    except Exception as error:  # As above.
        taken = [(number, row) for number, row in rows if accepted(row)]
        notes.append(f"{type(error).__name__} on the whole file; run again without {len(rows) - len(taken)} rows")
        rows = taken
        found = clean_rows([row for _, row in rows])
    flags: dict[str, list[int]] = {}
    quiet: dict[str, list[int]] = {}
    for (number, _), row in zip(rows, found, strict=True):
        for issue in row.issues:
            side = quiet if issue.severity.value == "suggestion" else flags
            side.setdefault(issue.code, []).append(number)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"flags": flags, "quiet": quiet, "counts": {}, "cpu_s": used.ru_utime + used.ru_stime, "notes": notes}))


if __name__ == "__main__":
    main()
