"""The text of a comparison with published numbers: one row per number, then what to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cilsim.metrics.statistics import Interval
from cilsim.report.formatting import ABSENT, aligned, printable
from cilsim.report.verdicts import ENOUGH_SEEDS, Comparison
from cilsim.scenario.published import Published

HEADS = (
    "strategy",
    "metric",
    "after",
    "published",
    "measured",
    "n",
    "difference",
    "allowed",
    "verdict",
)
RULE = (
    "PASS: within what is allowed, the tolerance or half the 95 % interval if that is more, or "
    "better (marked above or below); NEAR: within twice that; MISS: beyond"
)
SELECTIONS = {
    "last_epoch": (
        "selection: last epoch; papers that watch the test samples may report their best epoch"
    ),
    "best_test_epoch": "selection: best epoch on the test samples, as in some papers",
}


def reproduction_text(
    comparisons: Sequence[Comparison], selection: str, encoding: str = "utf-8"
) -> str:
    """Return the table with its notes.

    Args:
        comparisons: at least one.
        selection: which epoch counted, as in `evaluate.selection`.
        encoding: what the text will be written in; characters that it lacks are replaced.
    """
    rows = [list(HEADS), *(_row(comparison) for comparison in comparisons)]
    lines = [*aligned([[printable(cell, encoding) for cell in row] for row in rows]), ""]
    lines += [f"{verdict_counts(comparisons)}; numbers in percent", RULE]
    lines += [*_seeds(comparisons), SELECTIONS[selection]]
    lines += source_lines([comparison.entry for comparison in comparisons])
    return "\n".join(printable(line, encoding) for line in lines)


def published_text(entries: Sequence[Published], encoding: str = "utf-8") -> str:
    """Return a table of published numbers, those of all experiences in one cell."""
    rows = [["strategy", "metric", "when", "published", "tolerance"]]
    for entry in entries:
        numbers = (entry.value,) if entry.values is None else entry.values
        shown = " ".join(ABSENT if number is None else f"{number:g}" for number in numbers)
        when = ", ".join(f"{key}={_plain(value)}" for key, value in entry.when.items())
        rows.append([entry.strategy, entry.metric, when, shown, f"{entry.tolerance:g}"])
    cells = [[printable(cell, encoding) for cell in row] for row in rows]
    lines = [*aligned(cells), "", *source_lines(entries)]
    return "\n".join(printable(line, encoding) for line in lines)


def verdict_counts(comparisons: Sequence[Comparison]) -> str:
    """Return how many of each verdict there are, such as `2 PASS, 1 NEAR, 0 MISS`."""
    count = Counter(comparison.verdict for comparison in comparisons)
    return ", ".join(f"{count[verdict]} {verdict}" for verdict in ("PASS", "NEAR", "MISS"))


def source_lines(entries: Iterable[Published]) -> list[str]:
    """Return one line per source with whom it is about, and one per note."""
    about: dict[tuple[str, str], dict[str, None]] = {}
    for entry in entries:
        about.setdefault(("source", entry.source), {})[entry.strategy] = None
        if entry.note:
            about.setdefault(("note", entry.note), {})[entry.strategy] = None
    return [f"{kind}: {text} ({', '.join(labels)})" for (kind, text), labels in about.items()]


def describe_comparison(comparison: Comparison) -> Mapping[str, Any]:
    """Return a comparison as plain data, numbers in percent."""
    measured = comparison.measured
    return {
        "strategy": comparison.entry.strategy,
        "metric": comparison.entry.metric,
        "experience": comparison.experience,
        "published": comparison.published,
        "measured": None if measured is None else measured.mean,
        "lower": None if measured is None else measured.lower,
        "upper": None if measured is None else measured.upper,
        "n": 0 if measured is None else measured.n,
        "difference": comparison.difference,
        "allowed": comparison.allowed,
        "verdict": comparison.verdict,
        "mark": comparison.mark,
        "source": comparison.entry.source,
        "note": comparison.entry.note,
    }


def _row(comparison: Comparison) -> list[str]:
    measured = comparison.measured
    known = measured is not None
    return [
        comparison.entry.strategy,
        comparison.entry.metric,
        str(comparison.experience),
        f"{comparison.published:g}",
        _interval(measured, comparison.half_width),
        str(measured.n if measured else 0),
        f"{round(comparison.difference, 1) + 0.0:+.1f}" if known else ABSENT,
        f"{comparison.allowed:.1f}",
        ", ".join(filter(None, (comparison.verdict, comparison.mark))),
    ]


def _interval(measured: Interval | None, half_width: float) -> str:
    if measured is None:
        return ABSENT
    if measured.n < 2:
        return f"{measured.mean:.1f}"
    return f"{measured.mean:.1f} ± {half_width:.1f}"


def _seeds(comparisons: Sequence[Comparison]) -> list[str]:
    """Return what has to be said about the number of seeds."""
    counts = {comparison.measured.n for comparison in comparisons if comparison.measured}
    fewest = min(counts, default=0)
    if fewest >= ENOUGH_SEEDS or not fewest:
        return []
    why = "there is no interval" if fewest == 1 else "the interval says little"
    return [f"n < {ENOUGH_SEEDS} seeds: {why}, so the tolerance alone decides"]


def _plain(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    return str(value)
