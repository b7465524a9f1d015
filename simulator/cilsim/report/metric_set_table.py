"""Metric sets of other tools over finished runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cilsim.metrics.metric_sets import METRIC_SETS, metric_set
from cilsim.metrics.statistics import mean_interval
from cilsim.records import RunResult
from cilsim.report.formatting import ABSENT, aligned, percent_interval, printable


def metric_set_values(name: str, result: RunResult, after: int | None = None) -> dict[str, float]:
    """Return the values of a metric set, those that have a meaning, from a run's predictions.

    Args:
        name: a name in `METRIC_SETS`.
        result: a finished run.
        after: after which experience; default the last.
    """
    known = result.evaluations[: None if after is None else after + 1]
    values = metric_set(
        name,
        [evaluation.predictions for evaluation in known],
        result.run.stream,
        [evaluation.unlabelled for evaluation in known],
    )
    return {key: value for key, value in values.items() if math.isfinite(value)}


def metric_set_table(name: str, results: Sequence[RunResult], encoding: str = "utf-8") -> str:
    """Return one row per strategy: mean and 95 % interval over seeds after the last experience.

    Args:
        name: a name in `METRIC_SETS`.
        results: finished runs of one scenario.
        encoding: what the text will be written in; characters that it lacks are replaced.
    """
    measured: dict[str, list[Mapping[str, float]]] = {}
    for result in results:
        measured.setdefault(result.run.strategy, []).append(metric_set_values(name, result))
    names = list(dict.fromkeys(key for runs in measured.values() for one in runs for key in one))
    rows = [["strategy", "n", *names]]
    for strategy, runs in measured.items():
        values = [[one[key] for one in runs if key in one] for key in names]
        cells = [percent_interval(mean_interval(each)) if each else ABSENT for each in values]
        rows.append([strategy, str(len(runs)), *cells])
    lines = [f"{name}: {METRIC_SETS[name].summary}; in percent"]
    lines += aligned([[printable(cell, encoding) for cell in row] for row in rows])
    return "\n".join(lines)
