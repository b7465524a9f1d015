"""Puts conditions into SQL and reads rows back."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cilsim.index.conditions import Condition
from cilsim.index.entry import COLUMNS, IndexedRun

LATEST_FIRST = "-updated"
_NAMED = "SELECT id FROM name WHERE name = ?"


@dataclass(frozen=True)
class Found:
    """What a query gives.

    Attributes:
        runs: the first rows.
        total: how many rows there are in all.
        asked: names of the columns and metrics that the query was about.
    """

    runs: tuple[IndexedRun, ...]
    total: int
    asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Parts:
    """Tables, conditions and their values; only known names and marks are put into the text.

    Attributes:
        tables: `run`, where it is needed, and one per metric.
        where: what must hold.
        values: of the marks in `where`.
        aliases: what the table of each metric is called.
    """

    tables: str
    where: str
    values: tuple[str | float, ...]
    aliases: Mapping[str, str]

    def column(self, name: str) -> str:
        """Return what a column or a metric is called."""
        return f"{self.aliases[name]}.value" if name in self.aliases else f"run.{name}"


def select(
    connection: sqlite3.Connection, conditions: Sequence[Condition], sort: str, limit: int | None
) -> Found:
    """Return the runs for which all conditions hold.

    Args:
        connection: to an index.
        conditions: their names must be known.
        sort: a column, smallest first, or a metric, greatest first; `-` before it turns that. Runs
            without the metric are left out.
        limit: how many rows are read; None for all.
    """
    name = sort.removeprefix("-")
    of_metric = name not in COLUMNS
    counted = _parts(conditions, (name,) if of_metric else ())
    (total,) = connection.execute(
        f"SELECT count(*) FROM {counted.tables} WHERE {counted.where}", counted.values
    ).fetchone()
    parts = _parts(conditions, (name,), whole=True)
    down = of_metric != sort.startswith("-")
    columns = ", ".join(f"run.{column}" for column in ("id", *COLUMNS))
    rows = connection.execute(
        f"SELECT {columns} FROM {parts.tables} WHERE {parts.where} "
        f"ORDER BY {parts.column(name)} {'DESC' if down else 'ASC'}, run.id LIMIT ?",
        (*parts.values, -1 if limit is None else limit),
    ).fetchall()
    asked = dict.fromkeys((*(condition.name for condition in conditions), name))
    return Found(tuple(_run(connection, row) for row in rows), total, tuple(asked))


def metric_names(connection: sqlite3.Connection) -> set[str]:
    """Return the names of all metrics that some run has."""
    return {name for (name,) in connection.execute("SELECT name FROM name")}


def _parts(conditions: Sequence[Condition], asked: Sequence[str], whole: bool = False) -> _Parts:
    """Return what a query over some conditions and further names consists of.

    Args:
        conditions: what must hold.
        asked: columns and metrics that a run must have besides.
        whole: whether the row of the run is needed, whatever the conditions are about.
    """
    names = dict.fromkeys((*(condition.name for condition in conditions), *asked))
    metrics = [name for name in names if name not in COLUMNS]
    aliases = {name: f"metric_{number}" for number, name in enumerate(metrics)}
    with_run = whole or not metrics or len(metrics) < len(names)
    tables = [*(["run"] if with_run else []), *(f"metric AS {one}" for one in aliases.values())]
    id_ = "run.id" if with_run else f"{aliases[metrics[0]]}.run"
    parts = _Parts(", ".join(tables), "", (), aliases)
    where = [f"{alias}.name = ({_NAMED}) AND {alias}.run = {id_}" for alias in aliases.values()]
    where += [f"{parts.column(one.name)} {one.operator} ?" for one in conditions]
    values = (*metrics, *(condition.value for condition in conditions))
    return replace(parts, where=" AND ".join(where) or "1", values=values)


def _run(connection: sqlite3.Connection, row: tuple[int | str | float, ...]) -> IndexedRun:
    metrics = connection.execute(
        "SELECT name.name, value FROM metric JOIN name ON name.id = metric.name WHERE run = ? "
        "ORDER BY name.name",
        row[:1],
    )
    columns: dict[str, Any] = dict(zip(COLUMNS, row[1:], strict=True))
    return IndexedRun(**columns, metrics=dict(metrics.fetchall()))
