"""`cilsim runs`: every run below a folder, from an index that is brought up to date first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cilsim.cli.output import write_json, write_table
from cilsim.cli.parameters import FILE, json_option
from cilsim.cli.settings import shared_options
from cilsim.index.entry import COLUMNS, IndexedRun
from cilsim.index.query import LATEST_FIRST
from cilsim.index.run_index import RunIndex

SHOWN = ("scenario", "strategy", "seed", "state", "A_all")
MOST_ROWS = 50


@click.command("runs")
@click.option("--root", default="runs", type=FILE, show_default=True, help="Folder of all runs.")
@click.option(
    "--where", multiple=True, metavar="CONDITIONS",
    help="Only runs such as 'strategy=teen dataset=glyphs* A_all>0.5'; may be repeated.",
)  # fmt: skip
@click.option(
    "--sort", default=LATEST_FIRST, metavar="NAME", show_default=True,
    help="By a column, or by a metric with the greatest first; '-' before it turns that.",
)  # fmt: skip
@click.option(
    "--limit", default=MOST_ROWS, show_default=True, type=click.IntRange(0, 10**9),
    help="Most rows; 0 for all.",
)  # fmt: skip
@click.option(
    "--refresh/--no-refresh", default=True, help="Look for what has changed since the last time."
)
@click.option("--rebuild", is_flag=True, help="Read every run folder again.")
@json_option
@shared_options
def runs(
    root: Path,
    where: Sequence[str],
    sort: str,
    limit: int,
    refresh: bool,
    rebuild: bool,
    as_json: bool,
) -> None:
    """List the runs below a folder, with their final metrics.

    Columns to compare and to sort by are those of --json; all metrics are known too, as fractions.
    Runs without the metric that they are sorted by are left out.
    """
    with RunIndex(root) as index:
        if rebuild:
            index.rebuild()
        elif refresh:
            index.refresh()
        found = index.find(where, sort, limit or None)
    if as_json:
        write_json([asdict(run) for run in found.runs])
        return
    _write(found.runs, list(dict.fromkeys((*SHOWN, *found.asked, "folder"))))
    more = found.total - len(found.runs)
    rest = f", {more} more with --limit 0" if more else ""
    click.echo(f"{len(found.runs)} runs{rest}", err=True)


def _write(found: Iterable[IndexedRun], columns: Sequence[str]) -> None:
    rows = [[_cell(run, name) for name in columns] for run in found]
    if rows:
        write_table(columns, rows)


def _cell(run: IndexedRun, name: str) -> str:
    value: Any = getattr(run, name) if name in COLUMNS else run.metrics.get(name)
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
