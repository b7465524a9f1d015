"""What the charts of the HTML report draw, as JSON: small, rounded, without a path.

Axis letters: T experiences, K classes seen, S seeds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from cilsim.metrics.names import METRICS
from cilsim.records import FloatArray, IntArray, RunResult, StreamInfo
from cilsim.report.blocks import in_blocks
from cilsim.report.formatting import printable
from cilsim.report.matrices import borders
from cilsim.report.summary import StrategySummary, columns

MOST_CONFUSED = 12_000
"""Cells of the confusion of one strategy; with more, consecutive classes share a cell."""


def page_data(results: Sequence[RunResult], summaries: Sequence[StrategySummary]) -> dict[str, Any]:
    """Return the data of all charts as JSON values; accuracies are fractions, absent ones None.

    Args:
        results: finished runs of one scenario.
        summaries: of the same.
    """
    stream = summaries[0].stream
    metrics = _metrics(summaries)
    return {
        "experiences": [printable(one.name) for one in stream.experiences],
        "metrics": [
            {"name": name, "title": METRICS[name].title, "percent": METRICS[name].percent}
            for name in metrics
        ],
        "strategies": [
            {
                "label": printable(summary.strategy),
                "seeds": len(summary.seeds),
                "series": {name: _series(summary, name) for name in metrics},
                **_matrices([one for one in results if one.run.strategy == summary.strategy]),
            }
            for summary in summaries
        ],
        "classes": [printable(name) for name in stream.class_names],
    }


def embedded(data: Mapping[str, Any]) -> str:
    """Return JSON that can stand within a `<script>` element, whatever texts it has."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def mean_matrix(results: Sequence[RunResult]) -> FloatArray:
    """Return (T, T) the mean over seeds of the last accuracy matrix, NaN where any is."""
    stacked_STT = np.stack([result.evaluations[-1].accuracy_matrix for result in results])
    mean_TT: FloatArray = stacked_STT.mean(axis=0)
    return mean_TT


def confusion_cells(confusion_KK: IntArray, stream: StreamInfo) -> dict[str, Any]:
    """Return counts that are not zero as `[row, column, count, ...]`, of classes or blocks of them.

    Args:
        confusion_KK: rows are true labels, columns predicted ones.
        stream: facts about the stream.
    """
    blocks = in_blocks(confusion_KK, MOST_CONFUSED)
    rows, across = np.nonzero(blocks.counts)
    cells = np.stack([rows, across, blocks.counts[rows, across]], axis=1)
    return {
        "classes": len(confusion_KK),
        "each": blocks.each,
        "borders": borders(stream, len(confusion_KK)),
        "cells": [int(number) for number in cells.ravel()],
    }


def _matrices(own: Sequence[RunResult]) -> dict[str, Any]:
    mean_TT = mean_matrix(own)
    rows = [_rounded(row[: after + 1].tolist(), 4) for after, row in enumerate(mean_TT)]
    stream, last = own[0].run.stream, own[0].evaluations[-1]
    return {"matrix": rows, "confusion": confusion_cells(last.confusion, stream)}


def _metrics(summaries: Sequence[StrategySummary]) -> list[str]:
    """Return what can be drawn: the columns of the tables first, then every other known metric."""
    present = {name for summary in summaries for row in summary.rows for name in row.values}
    shown = [column.metric for column in columns(summaries[0].stream)]
    order = [*(name for name in shown if name in METRICS), *METRICS]
    return [name for name in dict.fromkeys(order) if name in present]


def _series(summary: StrategySummary, metric: str) -> list[list[float | None]]:
    """Return mean, lower and upper limit over experiences; the mean alone without limits."""
    found = [row.values.get(metric) for row in summary.rows]
    means = _rounded((math.nan if one is None else one.mean for one in found), 5)
    if len(summary.seeds) < 2:
        return [means]
    lower = _rounded((math.nan if one is None else one.lower for one in found), 5)
    upper = _rounded((math.nan if one is None else one.upper for one in found), 5)
    return [means, lower, upper]


def _rounded(values: Iterable[float], digits: int) -> list[float | None]:
    return [round(value, digits) if math.isfinite(value) else None for value in values]
