"""A comparison as numbers, for CSV and JSON: fractions, not percent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cilsim.report.comparison import ComparedStrategy, Comparison
from cilsim.report.paired_tests import Pair

CSV_HEAD = (
    "metric", "strategy", "n", "mean", "lower", "upper", "reference", "seeds_compared",
    "difference", "difference_lower", "difference_upper", "p", "gap_closed", "bytes_kept",
    "seconds", "significantly_best",
)  # fmt: skip


def comparison_rows(comparisons: Sequence[Comparison]) -> list[list[str | int | float]]:
    """Return one row per metric and strategy for `CSV_HEAD`; what is absent is empty."""
    return [
        [_cell(value) for value in _row(comparison, row)]
        for comparison in comparisons
        for row in comparison.rows
    ]


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return everything that is known, as JSON values; NaN where there is no number."""
    return {
        "metric": comparison.metric,
        "reference": comparison.reference,
        "significantly_best": comparison.winner,
        "gap_between": [comparison.floor, comparison.ceiling],
        "strategies": [_described(row) for row in comparison.rows],
        "pairs": [_tested(pair) for pair in comparison.pairs],
        "without_the_metric": list(comparison.missing),
    }


def _row(comparison: Comparison, row: ComparedStrategy) -> list[str | int | float | None]:
    interval = row.interval
    return [
        comparison.metric, row.label, interval.n, interval.mean, interval.lower, interval.upper,
        comparison.reference, *_difference(row.against), row.gap_closed, row.bytes_kept,
        row.seconds, int(row.label == comparison.winner),
    ]  # fmt: skip


def _difference(pair: Pair | None) -> list[int | float | None]:
    if pair is None or pair.difference is None:
        return [None] * 5
    found = pair.difference
    return [found.n, found.mean, found.lower, found.upper, pair.p]


def _cell(value: str | int | float | None) -> str | int | float:
    absent = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if value is None or absent else value


def _described(row: ComparedStrategy) -> dict[str, Any]:
    interval = row.interval
    return {
        "strategy": row.label,
        "by_seed": dict(sorted(row.by_seed.items())),
        "n": interval.n,
        "mean": interval.mean,
        "lower": interval.lower,
        "upper": interval.upper,
        "against_reference": None if row.against is None else _tested(row.against),
        "gap_closed": row.gap_closed,
        "bytes_kept": row.bytes_kept,
        "seconds": row.seconds,
    }


def _tested(pair: Pair) -> dict[str, Any]:
    seeds, mean, lower, upper, p = _difference(pair)
    return {
        "first": pair.first,
        "second": pair.second,
        "seeds_compared": seeds or 0,
        "difference": mean,
        "lower": lower,
        "upper": upper,
        "p_uncorrected": (None if pair.difference is None or pair.constant else pair.difference.p),
        "p": p,
        "significant": pair.significant,
    }
