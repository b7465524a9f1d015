"""Means over seeds with intervals, and comparisons of strategies on equal seeds.

Axis letters: M tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cilsim.metrics.accuracy import NAN
from cilsim.records import FloatArray


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval; the limits are NaN for a single value."""

    mean: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True)
class PairedDifference:
    """Mean of `a - b` over pairs, its confidence interval, and the two-sided p of "no difference".

    Limits and p are NaN for a single pair.
    """

    mean: float
    lower: float
    upper: float
    p: float
    n: int


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the mean and its two-sided interval by Student's t with n - 1 degrees of freedom.

    Student 1908. It covers the mean over seeds, not the next seed's value, and assumes nearly
    normal values; with n = 3 the half-width is 4.3 standard errors.

    Args:
        values: one per seed.
        confidence: coverage, between 0 and 1.

    Raises:
        ValueError: there are no values, or the confidence is not between 0 and 1.
    """
    sample = np.asarray(values, dtype=np.float64)
    _check(sample, confidence)
    mean, half = float(sample.mean()), _half_width(sample, confidence)
    return Interval(mean, mean - half, mean + half, sample.size)


def paired_difference(
    a: Sequence[float], b: Sequence[float], confidence: float = 0.95
) -> PairedDifference:
    """Return the mean difference over pairs with its t interval and p.

    Pair by seed: what a seed does to both strategies cancels, so differences show that two
    separate intervals hide. If all differences are equal, p is 1 for 0 and 0 for anything else.

    Args:
        a: values of one strategy, by seed.
        b: values of the other, in the same order of seeds.
        confidence: coverage of the interval, between 0 and 1.

    Raises:
        ValueError: the lengths differ, there are no values, or the confidence is not valid.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} values against {len(b)}; expected pairs over the same seeds")
    difference = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    _check(difference, confidence)
    mean, half = float(difference.mean()), _half_width(difference, confidence)
    return PairedDifference(mean, mean - half, mean + half, _p_value(difference), difference.size)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for being several, in the order given.

    Holm 1979: the k-th smallest of m, counted from 0, times m - k, at least its predecessor and at
    most 1. Rejecting what is below 0.05 then errs anywhere with a probability of at most 0.05,
    however the tests depend on each other.

    Args:
        p_values: of all tests that are looked at together; NaN is no test, stays, and is not
            counted.
    """
    p_M = np.asarray(p_values, dtype=np.float64)
    tests = np.flatnonzero(~np.isnan(p_M))
    order = tests[np.argsort(p_M[tests], kind="stable")]
    scaled = p_M[order] * np.arange(len(order), 0, -1)
    corrected_M = p_M.copy()
    corrected_M[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(p) for p in corrected_M]


def gap_closed(
    value: float, floor: float, ceiling: float, higher_is_better: bool = True
) -> float | None:
    """Return (value - floor) / (ceiling - floor), or None if the ceiling is no better.

    0 is as good as the floor and 1 as good as the ceiling; below and above are possible.

    Args:
        value: of a strategy.
        floor: of the strategy that does nothing against forgetting.
        ceiling: of the strategy that may keep everything.
        higher_is_better: of the metric.
    """
    gap = ceiling - floor
    if (gap if higher_is_better else -gap) <= 0:
        return None
    return (value - floor) / gap


def _half_width(sample: FloatArray, level: float) -> float:
    if sample.size < 2:
        return NAN
    return _quantile(0.5 + level / 2, sample.size - 1) * _standard_error(sample)


@lru_cache(maxsize=256)  # a report asks for the same one thousands of times
def _quantile(share: float, freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(share, freedom))


def _p_value(difference: FloatArray) -> float:
    if difference.size < 2:
        return NAN
    error, mean = _standard_error(difference), float(difference.mean())
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    from scipy.stats import t

    return float(2 * t.sf(abs(mean) / error, difference.size - 1))


def _standard_error(sample: FloatArray) -> float:
    return float(sample.std(ddof=1) / np.sqrt(sample.size))


def _check(sample: FloatArray, confidence: float) -> None:
    if sample.size == 0:
        raise ValueError("no values; expected at least one")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; expected a number between 0 and 1")
