"""Shows a sweep on stderr: a live table on a terminal, elsewhere one plain line per event."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from cilsim.report.formatting import duration, printable
from cilsim.sweep.cell import status_in
from cilsim.sweep.schedule import Phase, Progress

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.live import Live

MOST_ROWS = 20
_SECONDS_BETWEEN_TABLES = 0.5
_PHASES: tuple[Phase, ...] = ("finished", "running", "waiting", "failed", "interrupted")


class SweepView:
    """Tells how far a sweep is.

    Args:
        quiet: whether nothing but failures is shown.
        stream: where to print; stderr if None.
        clock: tells seconds.
    """

    def __init__(
        self,
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from rich.console import Console

        self._quiet = quiet
        self._clock = clock
        self._began = clock()
        self._shown = 0.0
        self._console: Console = Console(
            file=stream or sys.stderr, highlight=False, markup=False, emoji=False
        )
        self._live: Live | None = None

    def event(self, progress: Progress, all_cells: Sequence[Progress]) -> None:
        """Print one line about what a cell has come to; on a terminal its start needs none."""
        if self._is_live and progress.phase == "running":
            return
        if not self._quiet or progress.phase == "failed":
            self._print(event_line(progress, all_cells))

    def refresh(self, all_cells: Sequence[Progress]) -> None:
        """Draw the table anew, at most twice a second."""
        now = self._clock()
        if not self._is_live or now - self._shown < _SECONDS_BETWEEN_TABLES:
            return
        self._shown = now
        table = self._table(all_cells, now)
        if self._live is None:
            from rich.live import Live

            self._live = Live(
                table, console=self._console, auto_refresh=False, transient=True,
                redirect_stdout=False,
            )  # fmt: skip
            self._live.start()
        self._live.update(table, refresh=True)

    def close(self) -> None:
        """Take the table off the terminal."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    @property
    def _is_live(self) -> bool:
        console = self._console
        return not self._quiet and console.is_terminal and not console.is_dumb_terminal

    def _print(self, line: str) -> None:
        self._console.print(printable(line, self._console.encoding), soft_wrap=True)

    def _table(self, all_cells: Sequence[Progress], now: float) -> Group:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        counts = Text(counts_line(all_cells, now - self._began), style="bold")
        table = Table(box=None, pad_edge=False)
        for head in ("running", "experience", "time", "attempt"):
            table.add_column(head, justify="left" if head == "running" else "right", no_wrap=True)
        running = [progress for progress in all_cells if progress.phase == "running"]
        for progress in running[:MOST_ROWS]:
            row = (progress.cell.name, experience_text(progress), duration(now - progress.began))
            table.add_row(*row, str(progress.attempts))
        if len(running) > MOST_ROWS:
            table.add_row(f"and {len(running) - MOST_ROWS} more", "", "", "")
        return Group(counts, table)


def event_line(progress: Progress, all_cells: Sequence[Progress]) -> str:
    """Return one line about a cell: what happened, how many are done, why it goes on."""
    done = sum(one.phase in ("finished", "failed") for one in all_cells)
    name = "again" if progress.phase == "waiting" else progress.phase
    took = f" in {duration(progress.seconds)}" if progress.phase == "finished" else ""
    told = f": {progress.told}" if progress.told else ""
    return f"{name:<11} {done}/{len(all_cells)}  {progress.cell.name}{took}{told}"


def counts_line(all_cells: Sequence[Progress], seconds: float) -> str:
    """Return how many cells are in which phase, and how long the rest may take."""
    counts = Counter(progress.phase for progress in all_cells)
    shown = ", ".join(f"{counts[phase]} {phase}" for phase in _PHASES if counts[phase])
    done = sum(one.phase in ("finished", "failed") and not one.skipped for one in all_cells)
    left = counts["running"] + counts["waiting"]
    rest = f", about {duration(seconds / done * left)} left" if done and left else ""
    return f"{len(all_cells)} runs: {shown}, {duration(seconds)}{rest}"


def experience_text(progress: Progress) -> str:
    """Return how many experiences of a cell are finished, such as `2/9`, as its folder says."""
    status = status_in(progress.folder)
    found = next(iter(status.progress.values()), None) if status is not None else None
    return "-" if found is None else f"{found.experience}/{found.of}"
