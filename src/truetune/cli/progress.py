"""One line a stage while it runs, one line when it is done; on a pipe, plain lines and no more than one in fifteen seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from truetune.cli.render import balance, duration, summary
from truetune.core.ports import Clock
from truetune.core.records import DataRecord, Record

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from truetune.loop import StageName

PLAIN_LINE_EVERY_S = 15.0
LIVE_LINE_EVERY_S = 0.2


class TerminalReporter:
    """The loop's `Reporter` for a person at a terminal or a log."""

    def __init__(self, console: Console, clock: Clock) -> None:
        """Nothing is printed before the first stage starts."""
        self._console = console
        self._clock = clock
        self._stage = ""
        self._begun = 0.0
        self._said = 0.0
        self._step = 0.0
        self._status: Status | None = None
        self.lines: list[str] = []

    def started(self, stage: StageName) -> None:
        """Show that the stage is at work."""
        self._stop()
        self._stage = stage
        self._begun = self._said = self._step = self._clock.monotonic_s()
        if self._console.is_terminal:
            self._status = self._console.status(f"{stage:<9} …", spinner="line")
            self._status.start()

    def update(self, done: float, total: float, note: str = "") -> None:
        """Show how far the stage is, with the time left at the pace since this piece of work began."""
        now = self._clock.monotonic_s()
        if done <= 0:
            self._step = now
        every = LIVE_LINE_EVERY_S if self._status else PLAIN_LINE_EVERY_S
        if now - self._said < every or total <= 0:
            return
        self._said = now
        left = f", about {duration((now - self._step) * (total - done) / done)} left" if 0 < done < total else ""
        line = f"{self._stage:<9} {note or 'at work'}: {min(1.0, done / total):4.0%}{left}"
        if self._status:
            self._status.update(line)
        else:
            self._console.print(line)

    def finished(self, stage: StageName, record: Record, seconds: float, reused_from: str | None) -> None:
        """One line: what the stage found, and how long it took."""
        self._stop()
        how_long = f"unchanged since {reused_from}" if reused_from else duration(seconds)
        state = getattr(record, "gate", None)
        mark = {"passed": "ok", "failed": "FAILED", "not_measured": "?"}.get(state or "passed", "ok")
        style = {"FAILED": "bold red", "?": "yellow"}.get(mark)
        self._console.print(f"{stage:<9} {mark:<6} {summary(record)}  ({how_long})", style=style)
        if isinstance(record, DataRecord) and record.balance:
            self._console.print(f"{'':<16} {balance(record.balance, record.sizing)}", style="dim")

    def _stop(self) -> None:
        if self._status:
            self._status.stop()
            self._status = None

    def close(self) -> None:
        """Take the live line away, also when a stage ended with an error."""
        self._stop()


class SilentProgress:
    """For work that is over before anybody waits."""

    def update(self, done: float, total: float, note: str = "") -> None:
        """Say nothing."""
