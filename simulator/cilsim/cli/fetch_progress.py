"""Shows how fetching goes: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cilsim.data.publication import PublishedFile
from cilsim.data.transfer_by_http import Progress
from cilsim.report.formatting import duration, size

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def shown_progress(quiet: bool) -> Iterator[Callable[[PublishedFile], Progress]]:
    """Yield what gives each file something to be told how its fetching goes.

    Args:
        quiet: whether nothing is shown.
    """
    if quiet:
        yield lambda file: lambda done, total: None
    elif sys.stderr.isatty():
        with _bars() as bar_of:
            yield bar_of
    else:
        yield _Lines


@contextmanager
def _bars() -> Iterator[Callable[[PublishedFile], Progress]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *(DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:

        def bar_of(file: PublishedFile) -> Progress:
            task = bars.add_task(file.name, total=file.size or None)
            return lambda done, total: bars.update(
                task, completed=done, total=total or file.size or None
            )

        yield bar_of


class _Lines:
    """Writes a line every ten seconds: bytes, share, time left."""

    def __init__(self, file: PublishedFile) -> None:
        self._file = file
        self._begun = self._last = time.monotonic()
        self._first: int | None = None

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        first = self._first = done if self._first is None else self._first
        if now - self._last < SECONDS_BETWEEN_LINES or done == first:
            return
        self._last = now
        line = f"{self._file.name}: {size(done)}"
        if total:
            left = (now - self._begun) / (done - first) * (total - done)
            line += f" of {size(total)}, {duration(left)} left"
        click.echo(line, err=True)
