"""Findings like a good compiler's: place, severity, code, what; the rows; what to do. The same code stands together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from truetune.core.records import Finding
from truetune.report.ci import worst_first
from truetune.report.evidence_text import Side, evidence_text, other_places

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SHOWN_PER_CODE = 5
_SIDES_MOST, _OTHERS_MOST = 4, 8
_SIDE_BY_SIDE_COLUMNS = 80
"""Two columns of less than about 35 characters are harder to compare than two lines below each other."""
_INDENT = 4
_STYLES = {"block": "bold red", "warn": "yellow", "note": "dim"}


def print_findings(console: Console, found: Sequence[Finding], most: int = SHOWN_PER_CODE, all_of_them: str = "--json") -> None:
    """Findings by code, the worst first; of each code `most` are shown and the others counted; 0 shows all.

    `all_of_them` is the option of the command that gives the others too.
    """
    by_code: dict[str, list[Finding]] = {}
    for finding in worst_first(found):
        by_code.setdefault(finding.code, []).append(finding)
    for code, same in by_code.items():
        shown = same[: most or len(same)]
        for finding, following in zip(shown, [*shown[1:], None], strict=True):
            _print_finding(console, finding, with_fix=following is None or following.fix != finding.fix)
        if len(same) > len(shown):
            console.print(f"… and {len(same) - len(shown)} more {code} (all of them: {all_of_them})", style="dim")


def _print_finding(console: Console, finding: Finding, *, with_fix: bool) -> None:
    from rich.text import Text

    line = Text()
    line.append(f"{place(finding)}  ")
    line.append(f"{finding.severity} {finding.code}", style=_STYLES[finding.severity])
    line.append(f"  {printable(finding.message)}")
    console.print(line)
    room = max(20, console.width - _INDENT)
    evidence = evidence_text(finding)
    for number, text in enumerate(evidence.lines):
        _print_line(console, printable(text), evidence.mark if number == 0 else None, room)
    if others := other_places(finding, evidence.sides, _OTHERS_MOST):
        console.print(f"    also at {printable(others)}", style="dim")
    if evidence.sides:
        _print_sides(console, evidence.sides[:_SIDES_MOST])
    if with_fix and finding.fix:
        console.print(f"    fix: {printable(finding.fix)}")


def _print_line(console: Console, text: str, mark: int | None, room: int) -> None:
    """One line of a row's text, cut to the terminal; the marked character stands in the middle where it would be cut off."""
    start = max(0, mark - room // 2) if mark is not None and mark >= room - 1 else 0
    cut = text[start : start + room]
    console.print(f"    {cut}", style="dim", no_wrap=True)
    if mark is not None and start <= mark < start + len(cut):
        from rich.cells import cell_len

        console.print(f"    {' ' * cell_len(cut[: mark - start])}^", style="bold", no_wrap=True)


def _print_sides(console: Console, sides: Sequence[Side]) -> None:
    """Rows that belong together: in columns where the terminal is wide enough, else below each other; what differs is marked."""
    from rich.padding import Padding
    from rich.table import Table

    if len(sides) == 2 and console.width >= _SIDE_BY_SIDE_COLUMNS:
        table = Table.grid(padding=(0, 3, 0, 0), expand=False)
        half = (console.width - _INDENT - 3) // 2
        for _ in sides:
            table.add_column(width=half, overflow="fold")
        if sides[0].place:
            table.add_row(*[side.place for side in sides], style="bold")
        for left, right in zip(*map(_marked_texts, sides, reversed(sides)), strict=False):
            table.add_row(left, right)
        console.print(Padding(table, (0, 0, 0, _INDENT)), soft_wrap=False)
        return
    first = sides[0]
    for side in sides:
        if side.place:
            console.print(f"    {side.place}", style="bold")
        for line in _marked_texts(side, sides[1] if side is first else first):
            line.pad_left(_INDENT + 2)
            console.print(line)


def _marked_texts(side: Side, other: Side) -> list[Text]:
    """A side's texts with what differs marked: where the check says, else where the words do."""
    lines = [marked(printable(text), printable(theirs))[0] for text, theirs in zip(side.texts, other.texts, strict=False)]
    return [*lines[:-1], at_places(side.texts[-1], side.marks)] if side.marks and lines else lines


def at_places(text: str, places: Sequence[tuple[int, int]]) -> Text:
    """A text with the given places between ‹ ›."""
    from rich.text import Text

    shown, done = Text(), 0
    for start, end in sorted(places):
        if start >= done:
            shown.append(printable(text[done:start]))
            shown.append(f"‹{printable(text[start:end])}›", style="bold")
            done = end
    shown.append(printable(text[done:]))
    return shown


def marked(left: str, right: str) -> tuple[Text, Text]:
    """Two texts with the words that only one of them has between ‹ ›; two that share no word are left as they are."""
    from rich.text import Text

    from truetune.report.diffing import word_diff

    sides = word_diff(left, right)
    if left == right or not any(not part.differs and any(map(str.isalnum, part.text)) for part in sides[0]):
        return Text(left), Text(right)
    texts = Text(), Text()
    for text, parts in zip(texts, sides, strict=True):
        for part in parts:
            said = part.text.strip()
            if not part.differs or not said:
                text.append(part.text)
                continue
            before, after = part.text.split(said)
            text.append(before).append(f"‹{said}›", style="bold").append(after)
    return texts


def place(finding: Finding) -> str:
    """`file:line:column` of the first row, and how many more rows there are."""
    if not finding.rows:
        return "-"
    first = finding.rows[0]
    column = f":{finding.column}" if finding.column is not None else ""
    more = f" (+{len(finding.rows) - 1})" if len(finding.rows) > 1 else ""
    return f"{first.file}:{first.line}{column}{more}"


def printable(text: str) -> str:
    """User text must not move the cursor or colour the terminal: control characters are shown, not sent."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text.replace("\n", " "))
