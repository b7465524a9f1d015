"""The pages with measured tables: written, and checked against figures and scenario files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.tables.catalogue import TABLES, Table
from benchmarks.tables.figures import read_rows
from benchmarks.tables.jobs import ROOT, jobs
from benchmarks.tables.markdown import as_markdown, rewritten
from cilsim.plugins import Plugins

COMMAND = "python -m benchmarks.tables"


def pages() -> list[Path]:
    """Return the files that may have tables."""
    return [ROOT / "README.md", ROOT / "docs/results.md", *sorted(ROOT.glob("plugins/*/README.md"))]


def write_pages(plugins: Plugins) -> None:
    """Write every table into every page."""
    files = _files(plugins)
    for page in pages():
        page.write_text(_page(page, files), encoding="utf-8")


def stale(tables: Sequence[Table], plugins: Plugins) -> Iterator[str]:
    """Yield one line per row not measured as its file says now, and one per page that differs."""
    for table in tables:
        yield from stale_rows(table, plugins)
    files = _files(plugins)
    for page in pages():
        if _page(page, files) != page.read_text(encoding="utf-8"):
            name = page.relative_to(ROOT).as_posix()
            yield f"{name}: its tables are not what the figures give; run {COMMAND} --rows none"


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


def _files(plugins: Plugins) -> Mapping[str, Mapping[str, str]]:
    """Return the scenario file of each row, by table and label."""
    return {
        name: {job.label: job.file for job in jobs(table, plugins)}
        for name, table in TABLES.items()
    }


def _page(page: Path, files: Mapping[str, Mapping[str, str]]) -> str:
    up = "../" * len(page.relative_to(ROOT).parents[:-1])

    def shown(name: str, asked: Sequence[str]) -> str:
        labels = asked or list(files[name])
        used = tuple(dict.fromkeys(files[name][label] for label in labels))
        return as_markdown(replace(TABLES[name], scenarios=used), labels, read_rows(name), up)

    return rewritten(page.read_text(encoding="utf-8"), shown)
