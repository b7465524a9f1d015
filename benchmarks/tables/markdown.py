"""The tables as Markdown, between marks in a page.

`<!-- table: NAME -->` and `<!-- end -->` mark the place of a table, `<!-- table: NAME nmc teen -->`
that of some of its rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from benchmarks.tables.catalogue import Column, Table
from benchmarks.tables.figures import Row, Rows
from cilsim.metrics.statistics import Interval
from cilsim.report.formatting import percent, percent_interval, size

BLOCK = re.compile(r"(<!-- table: (\w+)((?: [\w.-]+)*) -->\n)(.*?)(<!-- end -->)", re.DOTALL)

NOT_MEASURED = "not measured"


def rewritten(text: str, shown: Callable[[str, Sequence[str]], str]) -> str:
    """Return a document with every marked table replaced.

    Args:
        text: the document.
        shown: called with a table's name and the rows that its mark asks for (none: all of them).
    """
    return BLOCK.sub(lambda found: found[1] + shown(found[2], found[3].split()) + found[5], text)


def as_markdown(table: Table, labels: Sequence[str], rows: Rows, up: str = "") -> str:
    """Return a table and the line below it that says on what it was measured.

    Args:
        table: its columns.
        labels: its rows; one without figures says so.
        rows: what was measured.
        up: leads from the page to the root of the repository, such as `../`.
    """
    head = ["after the last experience, %", *(column.heading for column in table.columns)]
    lines = [head, ["---", *["---:"] * len(table.columns)]]
    lines += [[f"`{label}`", *_cells(table, rows, label)] for label in labels]
    shown = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{shown}\n{_stamp(table, [rows[label] for label in labels if label in rows], up)}\n"


def _cells(table: Table, rows: Rows, label: str) -> list[str]:
    if label not in rows:
        return [NOT_MEASURED, *[""] * (len(table.columns) - 1)]
    return [_cell(column, rows, label) for column in table.columns]


def _cell(column: Column, rows: Rows, label: str) -> str:
    row = rows[label]
    if column.metric == "kept":
        return size(row.kept)
    if not row.has(column.metric):
        return ""
    if not column.against:
        return percent_interval(row.interval(column.metric))
    if label == column.against or column.against not in rows:
        return ""
    return _signed(row.difference(column.metric, rows[column.against]))


def _signed(interval: Interval) -> str:
    sign = "+" if round(100 * interval.mean, 1) > 0 else ""
    half = (interval.upper - interval.lower) / 2
    return f"{sign}{percent(interval.mean)} ± {percent(half)}"


def _stamp(table: Table, rows: Sequence[Row], up: str) -> str:
    """Return one line about the stream, seeds, machine and versions."""
    if not rows:
        return "Not measured yet."
    seeds = sorted({len(row.seeds) for row in rows})
    counts = " or ".join(map(str, seeds))
    facts = {
        f"{row.measured_on['cpu']}, {row.measured_on['threads']} thread"
        + ("s" if row.measured_on["threads"] != 1 else "")
        + f", torch {row.measured_on['torch']}"
        for row in rows
    }
    files = ", ".join(f"[{name}]({up}scenarios/{name})" for name in table.scenarios)
    measured = f"mean ± 95 % interval over {counts} seeds; {'; '.join(sorted(facts))}"
    return f"{table.title}: {measured}; {files}."
