"""Two strategies on the seeds that both have, tested as a family of pairs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cilsim.metrics.statistics import PairedDifference, holm, paired_difference
from cilsim.report.verdicts import ENOUGH_SEEDS, ROUNDING

SIGNIFICANT = 0.05
"""A difference counts below this p, after the correction for many comparisons."""

BySeed = Mapping[int, float]


@dataclass(frozen=True)
class Pair:
    """Two strategies on the seeds that both have.

    Attributes:
        first: label of one strategy.
        second: label of the other.
        difference: first minus second; None if no seed is shared.
        p: of the paired t-test, corrected by Holm over all pairs that are looked at together; NaN
            without two shared seeds, or if the difference is the same for all.
    """

    first: str
    second: str
    difference: PairedDifference | None
    p: float = math.nan

    @property
    def significant(self) -> bool:
        """Whether the two differ beyond chance, on enough seeds to say so."""
        found = self.difference
        return found is not None and found.n >= ENOUGH_SEEDS and self.p < SIGNIFICANT

    @property
    def was_tested(self) -> bool:
        """Whether there is a p: at least two seeds are shared and the difference varies."""
        return not math.isnan(self.p)

    @property
    def seeds(self) -> int:
        """How many seeds both have."""
        return 0 if self.difference is None else self.difference.n

    @property
    def constant(self) -> bool:
        """Whether the difference is the same for all seeds: they are no independent samples."""
        found = self.difference
        return found is not None and found.n > 1 and found.upper - found.lower < ROUNDING


def tested(labels: Iterable[tuple[str, str]], measured: Mapping[str, BySeed]) -> tuple[Pair, ...]:
    """Return the pairs, tested as one family."""
    pairs = [_pair(first, second, measured) for first, second in labels]
    raw = [
        math.nan if pair.difference is None or pair.constant else pair.difference.p
        for pair in pairs
    ]
    return tuple(replace(pair, p=p) for pair, p in zip(pairs, holm(raw), strict=True))


def _pair(first: str, second: str, measured: Mapping[str, BySeed]) -> Pair:
    one, other = measured[first], measured[second]
    shared = sorted(one.keys() & other.keys())
    if not shared:
        return Pair(first, second, None)
    values = [one[seed] for seed in shared], [other[seed] for seed in shared]
    return Pair(first, second, paired_difference(*values))


def against(
    reference: str, labels: Sequence[str], measured: Mapping[str, BySeed]
) -> dict[str, Pair]:
    """Return each strategy minus the reference by label; these are the family of tests."""
    others = ((label, reference) for label in labels if label != reference)
    return {pair.first: pair for pair in tested(others, measured)}


def of_one(best: str, pairs: Sequence[Pair]) -> dict[str, Pair]:
    """Return the other strategy minus the best one by label, out of the family of all pairs."""
    return {pair.second: _turned(pair) for pair in pairs if pair.first == best}


def _turned(pair: Pair) -> Pair:
    found = pair.difference
    if found is not None:
        found = replace(found, mean=-found.mean, lower=-found.upper, upper=-found.lower)
    return Pair(pair.second, pair.first, found, pair.p)
