"""Measure the tables of docs/results.md: `python -m benchmarks.tables`, from the repository.

Without options the rows are measured that train a network on the base alone, in minutes; `--all`
takes the others too, which is an hour and a half. Runs are resumed from --out. Figures go to the
JSON files beside this module and into every page that shows them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.tables.catalogue import TABLES, Table
from benchmarks.tables.comparing import differences
from benchmarks.tables.figures import read_rows, write_rows
from benchmarks.tables.jobs import Job, jobs
from benchmarks.tables.pages import COMMAND, stale, write_pages
from cilsim.errors import CilsimError
from cilsim.naming import did_you_mean
from cilsim.plugins import Plugins, discover


def main() -> int:
    """Do what the command line asks; 1 if something is not as it should be."""
    asked, plugins = _parse(), discover()
    try:
        tables = [_table(name) for name in asked.table or TABLES]
        if asked.check:
            return _tell(list(stale(tables, plugins)))
        if asked.compare:
            return _tell([line for table in tables for line in _compared(table, plugins, asked)])
        for table in tables:
            _measure(table, plugins, asked)
        write_pages(plugins)
    except CilsimError as error:
        return _tell([str(error)])
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("table", nargs="*", help=f"of {', '.join(TABLES)}; default: all")
    parser.add_argument("--all", action="store_true", help="the rows that take long as well")
    parser.add_argument("--rows", type=lambda text: text.split(","), help="labels, as nmc,fecam")
    parser.add_argument("--out", type=Path, default=Path("runs/tables"), help="where runs lie")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="run nothing: are the pages up to date?")
    how.add_argument("--compare", action="store_true", help="write nothing: the same figures?")
    return parser.parse_args()


def _table(name: str) -> Table:
    if name not in TABLES:
        raise CilsimError(f"there is no table '{name}'{did_you_mean(name, TABLES)}")
    return TABLES[name]


def _tell(complaints: list[str]) -> int:
    for line in complaints:
        print(line, file=sys.stderr)
    return 1 if complaints else 0


def _chosen(table: Table, plugins: Plugins, asked: argparse.Namespace) -> Iterator[Job]:
    for job in jobs(table, plugins):
        wanted = asked.all or not job.slow
        if asked.rows is not None:
            wanted = job.label in asked.rows
        if wanted:
            print(f"{table.name}: {job.label}", file=sys.stderr)
            yield job


def _measure(table: Table, plugins: Plugins, asked: argparse.Namespace) -> None:
    """Measure rows; each is written at once, so that a stop costs one row."""
    from benchmarks.tables.measuring import measure  # it imports torch, which --check is spared

    labels = [job.label for job in jobs(table, plugins)]
    for job in _chosen(table, plugins, asked):
        row = measure(job, plugins, asked.out / table.name)
        known = {**read_rows(table.name), job.label: row}
        write_rows(table.name, {label: known[label] for label in labels if label in known})


def _compared(table: Table, plugins: Plugins, asked: argparse.Namespace) -> Iterator[str]:
    from benchmarks.tables.measuring import measure

    kept = read_rows(table.name)
    for job in _chosen(table, plugins, asked):
        if job.label in kept:
            again = measure(job, plugins, asked.out / table.name)
            lines = differences(job.label, kept[job.label], again)
            yield from (f"{table.name}: {line}" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
