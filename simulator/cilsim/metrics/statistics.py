"""Means over seeds with intervals, and comparisons of two strategies on equal seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def _half_width(sample: FloatArray, level: float) -> float:
    if sample.size < 2:
        return NAN
    from scipy.stats import t

    return float(t.ppf(0.5 + level / 2, sample.size - 1)) * _standard_error(sample)


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
