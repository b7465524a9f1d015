"""The comparisons that every report of a scenario holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cilsim.records import RunResult
from cilsim.report.comparison import compare
from cilsim.report.comparison_tables import ComparisonTable, comparison_table
from cilsim.report.entrants import Group, entrants

REPORTED = ("A_all", "A_avg_inc", "forgetting")


def statistics_tables(
    results: Sequence[RunResult], names: Mapping[str, str], metrics: Sequence[str] = REPORTED
) -> list[ComparisonTable]:
    """Return one table per metric that some run has.

    Args:
        results: finished runs of one scenario.
        names: strategy name by label; a label that is missing is a name.
        metrics: which.
    """
    found = entrants([Group("", results, names)])
    known = {name for result in results for name in result.final}
    return [comparison_table(compare(found, metric)) for metric in metrics if metric in known]
