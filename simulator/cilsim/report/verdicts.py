"""Compares measured means over seeds with published numbers: PASS, NEAR or MISS."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cilsim.errors import CilsimError
from cilsim.metrics.metric_sets import METRIC_SETS
from cilsim.metrics.names import METRICS, describe
from cilsim.metrics.statistics import Interval, mean_interval
from cilsim.naming import did_you_mean
from cilsim.records import RunResult
from cilsim.report.metric_set_table import metric_set_values
from cilsim.scenario.published import Published

Verdict = Literal["PASS", "NEAR", "MISS"]

ENOUGH_SEEDS = 3
"""Below this the interval over seeds is far wider than what it is about, and does not count."""

NEAR_FACTOR = 2.0
"""NEAR reaches to this many times what PASS allows."""

ROUNDING = 1e-9
"""Points that are lost in floating point, so that a difference of exactly 1.0 is within 1.0."""

LOWER_IS_BETTER = frozenset({"forg_tag", "StreamForgetting", "overall_forgetting", "M_f"})
"""Values of metric sets, beside those whose names are metrics, of which less is better."""


@dataclass(frozen=True)
class Comparison:
    """One published number and what was measured for it.

    Attributes:
        entry: where the number is stated.
        experience: after which experience.
        published: the number, in percent.
        measured: over the seeds, in percent; None if no run has the metric there.
    """

    entry: Published
    experience: int
    published: float
    measured: Interval | None

    @property
    def difference(self) -> float:
        """Measured minus published, in points; NaN if nothing was measured."""
        return math.nan if self.measured is None else self.measured.mean - self.published

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval, in points; NaN with fewer than two seeds."""
        if self.measured is None:
            return math.nan
        return (self.measured.upper - self.measured.lower) / 2

    @property
    def allowed(self) -> float:
        """Points of difference that pass: the tolerance, or half the interval if that is more."""
        if self.measured is None or self.measured.n < ENOUGH_SEEDS:
            return self.entry.tolerance
        return max(self.entry.tolerance, self.half_width)

    @property
    def better(self) -> bool:
        """Whether what was measured is better than published by more than is allowed."""
        gain = -self.difference if lower_is_better(self.entry.metric) else self.difference
        return gain > self.allowed + ROUNDING

    @property
    def verdict(self) -> Verdict:
        """PASS, NEAR or MISS; better than published passes, not measured misses."""
        if self.better or abs(self.difference) <= self.allowed + ROUNDING:
            return "PASS"
        near = abs(self.difference) <= NEAR_FACTOR * self.allowed + ROUNDING
        return "NEAR" if near else "MISS"

    @property
    def mark(self) -> str:
        """`above` or `below` where a pass is better than allowed, `absent` if not measured."""
        if self.measured is None:
            return "absent"
        if not self.better:
            return ""
        return "below" if lower_is_better(self.entry.metric) else "above"


def compare(entries: Sequence[Published], results: Sequence[RunResult]) -> tuple[Comparison, ...]:
    """Return one comparison per published number, in the order of the entries.

    Args:
        entries: those that hold for the scenario; their metrics are known.
        results: finished runs of one scenario, at least one.
    """
    experiences = len(results[0].run.stream.experiences)
    return tuple(
        Comparison(entry, experience, published, _measured(entry, experience, results))
        for entry in entries
        for experience, published in entry.by_experience(experiences).items()
    )


def refuse_unusable(
    entries: Sequence[Published], experiences: int, metrics: Sequence[str] = ()
) -> None:
    """Refuse entries that cannot be compared with any run of the scenario.

    Args:
        entries: what is to be compared.
        experiences: how many the stream has.
        metrics: those of plugins.

    Raises:
        CilsimError: an entry has a metric that no run has or that is not in percent, or another
            number of values than there are experiences.
    """
    for entry in entries:
        where = f"published: {entry.strategy}, {entry.metric}"
        if entry.values is not None and len(entry.values) != experiences:
            raise CilsimError(
                f"{where}: expected one value for each of the {experiences} experiences, found "
                f"{len(entry.values)}"
            )
        if entry.metric.partition("/")[0] in METRIC_SETS or entry.metric in metrics:
            continue
        metric = describe(entry.metric)
        if metric is None:
            hint = did_you_mean(entry.metric, [*METRICS, *metrics])
            raise CilsimError(f"{where}: no metric has that name{hint}")
        if not metric.percent:
            raise CilsimError(f"{where}: is not in percent, so it cannot be compared")


def lower_is_better(metric: str) -> bool:
    """Return whether less of a metric, or of a value of a metric set, is better."""
    name = metric.rpartition("/")[2] if metric.partition("/")[0] in METRIC_SETS else metric
    known = describe(name)
    return name in LOWER_IS_BETTER if known is None else known.higher_is_better is False


def _measured(entry: Published, experience: int, results: Sequence[RunResult]) -> Interval | None:
    own = (result for result in results if result.run.strategy == entry.strategy)
    values = list(_values(entry.metric, experience, own))
    return mean_interval(values) if values else None


def _values(metric: str, experience: int, results: Iterator[RunResult]) -> Iterator[float]:
    """Yield the metric of each run that has it, in percent."""
    group, _, name = metric.partition("/")
    for result in results:
        values = result.evaluations[experience].values
        if group in METRIC_SETS:
            values = metric_set_values(group, result, experience)
        found = values.get(name if group in METRIC_SETS else metric)
        if found is not None and math.isfinite(found):
            yield 100 * found
