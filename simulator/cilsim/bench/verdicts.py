"""What timings mean: ratios per round, their medians and quartiles, and whether goals are met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median, quantiles

import numpy as np

from cilsim.bench.rounds import Arm, Decisions, Samples

LARGEST_SPREAD = 0.10
"""Interquartile range of the baseline, relative to its median, above which nothing is claimed."""


@dataclass(frozen=True)
class Quartiles:
    """Median and quartiles of one figure over the rounds."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Quartiles:
        """Return them for at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(low, median(values), high)

    @property
    def spread(self) -> float:
        """Interquartile range relative to the median."""
        return (self.high - self.low) / self.middle


def speeds(samples: Samples, baseline: str) -> dict[str, Quartiles]:
    """Return how many times as fast as the baseline each contestant was, round by round."""
    return {
        name: Quartiles.of([b / own for b, own in zip(samples[baseline], times, strict=True)])
        for name, times in samples.items()
    }


def added_seconds(samples: Samples, baseline: str) -> dict[str, Quartiles]:
    """Return how much longer than the baseline each contestant took, round by round."""
    return {
        name: Quartiles.of([own - b for b, own in zip(samples[baseline], times, strict=True)])
        for name, times in samples.items()
    }


def agreements(decisions: dict[str, Decisions], baseline: str) -> dict[str, float]:
    """Return the share of the baseline's decisions that each other contestant repeats."""
    reference = decisions.get(baseline)
    if reference is None:
        return {}
    return {
        name: float(np.mean(own == reference)) if own.shape == reference.shape else 0.0
        for name, own in decisions.items()
        if name != baseline
    }


def verdict(samples: Samples, arm: Arm, *, on_gpu: bool) -> list[str]:
    """Return one line per goal and limit: reached, missed, or refused on a busy machine."""
    spread = Quartiles.of(samples[arm.baseline]).spread
    if arm.goals and spread > LARGEST_SPREAD:
        said = [f"no verdict: the baseline's quartiles lie {spread:.0%} apart, the machine is busy"]
    else:
        said = list(_goals(samples, arm, on_gpu))
    return [*said, *_limits(samples, arm)]


def _goals(samples: Samples, arm: Arm, on_gpu: bool) -> Iterator[str]:
    measured = speeds(samples, arm.baseline)
    for goal in arm.goals:
        speed, wanted = measured[goal.contestant].middle, goal.on_gpu if on_gpu else goal.on_cpu
        word = "reached" if speed >= wanted else "MISSED"
        yield f"{word}: {goal.contestant} {speed:.3g} x {arm.baseline}, goal {wanted:.3g}"


def _limits(samples: Samples, arm: Arm) -> Iterator[str]:
    """Judge added seconds by their own quartiles: next to none of the baseline vary by much."""
    measured = added_seconds(samples, arm.baseline)
    for limit in arm.limits:
        added, most = measured[limit.contestant], limit.added_seconds
        yield (
            f"{_within(added, most)}: {limit.contestant} {added.middle:.3g} s "
            f"({added.low:.3g} to {added.high:.3g}) more than {arm.baseline}, limit {most:.3g} s"
        )


def _within(added: Quartiles, most: float) -> str:
    if added.high <= most:
        return "reached"
    return "MISSED" if added.low > most else "no verdict"


def same_work(decisions: dict[str, Decisions], arm: Arm) -> list[str]:
    """Return one line per contestant that decides: how far it decides as the baseline does."""
    if arm.agreement is None:
        return []
    count = len(decisions[arm.baseline])
    return [
        f"{'same work' if share >= arm.agreement else 'NOT THE SAME WORK'}: {name} repeats "
        f"{share:.3%} of {count:,} decisions of {arm.baseline}"
        for name, share in agreements(decisions, arm.baseline).items()
    ]
