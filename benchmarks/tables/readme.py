"""The tables in README.md: written, and checked against figures and scenario files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.tables.catalogue import TABLES, Table
from benchmarks.tables.figures import read_rows
from benchmarks.tables.jobs import ROOT, jobs
from benchmarks.tables.markdown import as_markdown, rewritten
from cilsim.plugins import Plugins

README = ROOT / "README.md"
COMMAND = "python -m benchmarks.tables"


def write_readme(plugins: Plugins) -> None:
    """Write every table into README.md."""
    README.write_text(_readme(plugins), encoding="utf-8")


def stale(tables: Sequence[Table], plugins: Plugins) -> Iterator[str]:
    """Yield one line per row not measured as its file says now, and one if README.md differs."""
    for table in tables:
        yield from stale_rows(table, plugins)
    if _readme(plugins) != README.read_text(encoding="utf-8"):
        yield f"README.md: its tables are not what the figures give; run {COMMAND} --rows none"


def stale_rows(table: Table, plugins: Plugins) -> Iterator[str]:
    """Yield one line per row that was measured with another recipe or other seeds."""
    rows = read_rows(table.name)
    for job in jobs(table, plugins):
        row = rows.get(job.label)
        again = f"run {COMMAND} {table.name} --rows {job.label}"
        if row is not None and row.recipe != job.recipe:
            yield f"{table.name}: '{job.label}' was measured with another recipe; {again}"
        elif row is not None and set(row.seeds) != set(job.scenario.seeds):
            yield f"{table.name}: '{job.label}' was measured with other seeds; {again}"


def _readme(plugins: Plugins) -> str:
    shown = {
        name: as_markdown(table, [job.label for job in jobs(table, plugins)], read_rows(name))
        for name, table in TABLES.items()
    }
    return rewritten(README.read_text(encoding="utf-8"), shown)
