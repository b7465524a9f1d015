"""Heads and rows, as text, of the tables that the terminal, Markdown and HTML print alike."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cilsim.metrics.names import describe
from cilsim.records import RunInfo, StreamInfo
from cilsim.report.formatting import count_interval, duration, percent_interval, size
from cilsim.report.summary import StrategySummary, columns

INTERVALS = (
    "± is the half width of the 95 % interval of the mean over seeds (Student's t). "
    "With n = 1 there is none; below n = 3 it says little."
)
MATCHING = (
    "On a discovery stream clusters are matched to classes once, over all samples (Hungarian)."
)

INDUCTIVE = (
    "Scored on test samples (inductive); values on the unlabelled samples themselves are stored "
    "as `transductive/...`."
)
BOTH_SCORED = (
    'Columns "(unlabelled)" score the unlabelled samples that were learnt from (transductive, as '
    'the tables of GCD), columns "(test)" new samples (inductive).'
)


def protocol_rows(stream: StreamInfo, stamps: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (name, value) rows that say under which protocol the numbers were made."""
    count = len(stream.experiences)
    experiences = f"{count} experiences (1 base + {count - 1})" if count > 1 else "1 experience"
    known = [("number of classes", stream.number_of_classes)] if stream.discovery else []
    return [
        ("stream", stream.kind),
        ("data set", stream.dataset),
        ("protocol", f"{stream.protocol}, {experiences}"),
        *known,
        ("class order and split", stream.digest),
        *stamps.items(),
    ]


def seeds_line(summary: StrategySummary) -> str:
    """Return over which seeds the numbers are, and whether those are enough."""
    count = len(summary.seeds)
    listed = ", ".join(map(str, summary.seeds))
    if count == 1:
        return f"1 seed ({listed}), so no interval"
    few = "; n < 3, so the interval says little" if count < 3 else ""
    return f"mean ± 95 % interval over {count} seeds ({listed}){few}"


def comparison_heads(stream: StreamInfo) -> list[str]:
    """Return the heads of the table of strategies."""
    metrics = [column.heading for column in columns(stream)]
    return ["strategy", "n", *metrics, "kept", "time per run"]


def comparison_rows(summaries: Sequence[StrategySummary]) -> list[list[str]]:
    """Return one row per strategy after its last experience."""
    return [
        [
            summary.strategy,
            str(len(summary.seeds)),
            *_cells(summary, -1),
            size(summary.last.bytes_kept),
            duration(sum(row.seconds for row in summary.rows)),
        ]
        for summary in summaries
    ]


def strategy_heads(stream: StreamInfo) -> list[str]:
    """Return the heads of the table of one strategy's experiences."""
    metrics = [column.heading for column in columns(stream)]
    return ["experience", "classes", *metrics, "kept", "time"]


def strategy_rows(summary: StrategySummary) -> list[list[str]]:
    """Return one row per experience, with the ledger's bytes and seconds."""
    return [
        [
            f"{row.experience.index} {row.experience.name}",
            str(row.experience.seen),
            *_cells(summary, position),
            size(row.bytes_kept),
            duration(row.seconds),
        ]
        for position, row in enumerate(summary.rows)
    ]


def option_rows(run: RunInfo) -> list[tuple[str, str]]:
    """Return (name, value) rows of a strategy's options and calibrators."""
    rows = [(name, _option(value)) for name, value in run.options.items()]
    return rows + ([("calibrators", ", ".join(run.calibrators))] if run.calibrators else [])


def definition_rows(stream: StreamInfo) -> list[tuple[str, str]]:
    """Return (column and metric, definition with its source) for the columns of the tables."""
    rows = []
    for column in columns(stream):
        described = describe(column.metric)
        assert described is not None  # columns are metrics of ours
        meaning = f"{described.definition} ({described.source})"
        rows.append((f"{column.heading} ({column.metric})", meaning))
    return rows


def notes(stream: StreamInfo) -> list[str]:
    """Return the sentences below the definitions."""
    if not stream.discovery:
        return [INTERVALS]
    return [INTERVALS, MATCHING, BOTH_SCORED if len(stream.experiences) == 1 else INDUCTIVE]


def _option(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _cells(summary: StrategySummary, position: int) -> list[str]:
    values = summary.rows[position].values
    return [
        (percent_interval if column.percent else count_interval)(values.get(column.metric))
        for column in columns(summary.stream)
    ]
