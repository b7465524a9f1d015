"""A comparison as text cells, which the terminal, Markdown, LaTeX, CSV and HTML print alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cilsim.metrics.names import describe
from cilsim.report.comparison import ComparedStrategy, Comparison
from cilsim.report.formatting import (
    ABSENT,
    aligned,
    count_interval,
    count_text,
    duration,
    percent,
    percent_interval,
    printable,
    size,
)
from cilsim.report.paired_tests import SIGNIFICANT
from cilsim.report.verdicts import ENOUGH_SEEDS

LEAST_SHOWN_P = 0.001

MEAN = 2
"""Position of the cell with mean and interval in a row."""


@dataclass(frozen=True)
class ComparisonTable:
    """One metric.

    Attributes:
        title: name of the metric and what it is printed in.
        heads: of the columns.
        rows: one per strategy, the best first; the first cell is its label, the third its mean.
        strong: position of the row whose mean is emphasised, if one is significantly the best.
        notes: sentences below.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: int | None
    notes: tuple[str, ...]


def comparison_table(comparison: Comparison) -> ComparisonTable:
    """Return the cells of a comparison; columns that would be empty are left out."""
    percents = is_percent(comparison.metric)
    gap = any(row.gap_closed is not None for row in comparison.rows)
    against = any(row.against is not None for row in comparison.rows)
    heads = ["strategy", "n", comparison.metric]
    heads += [f"minus {comparison.reference}", "p (Holm)"] if against else []
    heads += ["gap closed"] if gap else []
    rows = [
        [row.label, str(row.interval.n), _interval(row, percents)]
        + (_against(row, percents) if against else [])
        + ([percent(row.gap_closed)] if gap else [])
        + [size(row.bytes_kept), duration(row.seconds)]
        for row in comparison.rows
    ]
    labels = [row.label for row in comparison.rows]
    return ComparisonTable(
        title=f"{comparison.metric}{', in percent' if percents else ''}",
        heads=(*heads, "kept", "time per run"),
        rows=tuple(map(tuple, rows)),
        strong=None if comparison.winner is None else labels.index(comparison.winner),
        notes=tuple(_notes(comparison, against)),
    )


def comparison_text(table: ComparisonTable, encoding: str = "utf-8") -> str:
    """Return the table as aligned lines; a star marks what others emphasise."""
    rows = [list(row) for row in table.rows]
    if table.strong is not None:
        rows[table.strong][0] += " *"
    cells = [[printable(cell, encoding) for cell in row] for row in [list(table.heads), *rows]]
    notes = [printable(note, encoding) for note in table.notes]
    return "\n".join([printable(table.title, encoding), *aligned(cells), *notes])


def is_percent(metric: str) -> bool:
    """Return whether a metric is a fraction that is printed times 100."""
    described = describe(metric)
    return described is None or described.percent


def _interval(row: ComparedStrategy, percents: bool) -> str:
    return (percent_interval if percents else count_interval)(row.interval)


def _against(row: ComparedStrategy, percents: bool) -> list[str]:
    if row.against is None or row.against.difference is None:
        return [ABSENT, ABSENT]
    mean = row.against.difference.mean
    text = percent(mean) if percents else count_text(mean)
    return [text if text.startswith("-") else f"+{text}", p_text(row.against.p)]


def p_text(p: float) -> str:
    """Return a p value with three decimals, `-` if there is none."""
    if math.isnan(p):
        return ABSENT
    return f"< {LEAST_SHOWN_P}" if p < LEAST_SHOWN_P else f"{p:.3f}"


def _notes(comparison: Comparison, against: bool) -> list[str]:
    said = ["± is the half width of the 95 % interval of the mean over seeds (Student's t)."]
    if against:
        said += [_on_tests(comparison), _on_winner(comparison)]
    said += _on_gap(comparison)
    said += [*_on_few_seeds(comparison, against), *_on_other_seeds(comparison)]
    said += _on_constant_differences(comparison)
    if comparison.missing:
        listed = ", ".join(comparison.missing)
        said.append(f"Without {comparison.metric}, so left out: {listed}.")
    return said


def _on_tests(comparison: Comparison) -> str:
    to_reference = [row.against for row in comparison.rows if row.against is not None]
    family = to_reference if comparison.chosen else comparison.pairs
    count = sum(pair.was_tested for pair in family)
    if count == 0:
        return "No test: it takes two seeds that both strategies have, with unequal differences."
    tests = "1 pair" if count == 1 else f"{count} pairs"
    return (
        f"p: paired t-test against {comparison.reference} on equal seeds, two-sided, corrected "
        f"for {tests} (Holm)."
    )


def _on_winner(comparison: Comparison) -> str:
    if comparison.winner is None:
        return f"No strategy is better than every other with p < {SIGNIFICANT}."
    return f"{comparison.winner} is better than every other with p < {SIGNIFICANT}."


def _on_gap(comparison: Comparison) -> list[str]:
    floor, ceiling = comparison.floor, comparison.ceiling
    if floor is None or ceiling is None:
        return []
    if all(row.gap_closed is None for row in comparison.rows):
        return [f"{ceiling} is no better than {floor}, so there is no gap between them to close."]
    return [
        f"Gap closed: share of the way from {floor} to {ceiling}, in percent; {ceiling} is a "
        "bound and competes with nobody."
    ]


def _on_few_seeds(comparison: Comparison, against: bool) -> list[str]:
    few = [row.label for row in comparison.rows if row.interval.n < ENOUGH_SEEDS]
    if not few:
        return []
    tested = " and no difference counts" if against else ""
    return [f"n < {ENOUGH_SEEDS}, so the interval says little{tested}: {', '.join(few)}."]


def _on_other_seeds(comparison: Comparison) -> list[str]:
    """Say on how many seeds a difference rests, where that is fewer than a mean does."""
    seeds = {row.label: row.interval.n for row in comparison.rows}
    pairs = [row.against for row in comparison.rows if row.against is not None]
    fewer = [
        f"{pair.first} {pair.seeds}"
        for pair in pairs
        if pair.seeds < max(seeds[pair.first], seeds[pair.second])
    ]
    if not fewer:
        return []
    return [
        f"Seeds in common with {comparison.reference}, on which differences and p rest: "
        f"{', '.join(fewer)}; fewer than {ENOUGH_SEEDS} do not count."
    ]


def _on_constant_differences(comparison: Comparison) -> list[str]:
    rows = [row for row in comparison.rows if row.against is not None and row.against.constant]
    if not rows:
        return []
    listed = ", ".join(row.label for row in rows)
    return [f"The difference to {comparison.reference} is the same for all seeds, so there is no "
            f"test: {listed}."]  # fmt: skip
