from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cilsim.metrics.statistics import (
    Interval,
    PairedDifference,
    gap_closed,
    holm,
    mean_interval,
    paired_difference,
)

NAN = math.nan


def test_interval_of_three_seeds_uses_the_t_quantile_of_two_degrees_of_freedom():
    # t(0.975, 2) = 4.302653, standard error = 0.1 / sqrt(3)
    found = mean_interval([0.5, 0.6, 0.7])
    half = 4.3026527297 * 0.1 / math.sqrt(3)
    assert found.mean == pytest.approx(0.6)
    assert found.lower == pytest.approx(0.6 - half)
    assert found.upper == pytest.approx(0.6 + half)
    assert found.n == 3


def test_interval_widens_with_confidence():
    narrow, wide = mean_interval([0.1, 0.4], 0.5), mean_interval([0.1, 0.4], 0.99)
    assert wide.lower < narrow.lower < narrow.upper < wide.upper


def test_one_value_has_no_interval():
    found = mean_interval([0.5])
    assert (found.mean, found.n) == (0.5, 1)
    assert math.isnan(found.lower)
    assert math.isnan(found.upper)


def test_equal_values_have_an_interval_without_width():
    assert mean_interval([0.5, 0.5, 0.5]) == Interval(0.5, 0.5, 0.5, 3)


def test_no_values_are_refused():
    with pytest.raises(ValueError, match=r"^no values; expected at least one$"):
        mean_interval([])


def test_a_confidence_in_percent_is_refused():
    with pytest.raises(ValueError, match=r"^confidence is 95; expected a number between 0 and 1$"):
        mean_interval([0.5], 95)


def test_paired_difference_equals_the_paired_t_test_of_scipy():
    from scipy.stats import ttest_rel

    a, b = [0.71, 0.68, 0.74, 0.70], [0.69, 0.67, 0.70, 0.69]
    found, reference = paired_difference(a, b), ttest_rel(a, b)
    assert found.mean == pytest.approx(0.02)
    assert found.p == pytest.approx(reference.pvalue)
    interval = reference.confidence_interval(0.95)
    assert (found.lower, found.upper) == pytest.approx((interval.low, interval.high))
    assert found.n == 4


def test_pairing_sees_what_two_intervals_hide():
    a, b = [0.51, 0.61, 0.72], [0.50, 0.60, 0.70]
    assert mean_interval(a).lower < mean_interval(b).upper
    assert paired_difference(a, b).lower < 0.0133 < paired_difference(a, b).upper
    assert paired_difference(a, b).p < 0.06


def test_one_pair_has_no_interval_and_no_p():
    found = paired_difference([0.75], [0.25])
    assert (found.mean, found.n) == (0.5, 1)
    assert all(math.isnan(value) for value in (found.lower, found.upper, found.p))


@pytest.mark.parametrize(("shift", "p"), [(0.0, 1.0), (0.25, 0.0)], ids=["none", "constant"])
def test_equal_differences_are_certain(shift, p):
    found = paired_difference([0.5 + shift, 0.25 + shift], [0.5, 0.25])
    assert found == PairedDifference(shift, shift, shift, p, 2)


def test_pairs_need_equal_lengths():
    with pytest.raises(
        ValueError, match=r"^3 values against 2; expected pairs over the same seeds$"
    ):
        paired_difference([0.1, 0.2, 0.3], [0.1, 0.2])


def test_holm_multiplies_the_smallest_p_most():
    # ascending 0.005 * 4, 0.01 * 3, 0.03 * 2, then 0.04 * 1 raised to its predecessor
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_never_exceeds_one():
    assert holm([0.6, 0.7, 0.9]) == [1.0, 1.0, 1.0]


def test_holm_leaves_a_single_test_alone():
    assert holm([0.04]) == [0.04]


def test_holm_does_not_count_what_was_not_tested():
    first, nothing, second = holm([0.02, NAN, 0.03])
    assert (first, second) == pytest.approx((0.04, 0.04))
    assert math.isnan(nothing)


def test_holm_of_nothing_is_nothing():
    assert holm([]) == []


def test_holm_never_rejects_less_than_bonferroni():
    values = np.random.default_rng(0).uniform(0, 0.2, size=(50, 7))
    for row in values.tolist():
        bonferroni = [min(1.0, 7 * p) for p in row]
        assert all(one <= other + 1e-12 for one, other in zip(holm(row), bonferroni, strict=True))


def test_paired_difference_agrees_with_scipy():
    a, b = [0.6, 0.62, 0.61, 0.63], [0.55, 0.58, 0.55, 0.59]
    found, expected = paired_difference(a, b), stats.ttest_rel(a, b)
    limits = expected.confidence_interval(0.95)
    assert (found.p, found.lower, found.upper) == pytest.approx(
        (expected.pvalue, limits.low, limits.high)
    )


def test_the_gap_is_closed_by_a_third():
    assert gap_closed(0.4, floor=0.2, ceiling=0.8) == pytest.approx(1 / 3)


def test_the_gap_of_what_is_better_when_low_is_turned():
    assert gap_closed(0.3, floor=0.5, ceiling=0.1, higher_is_better=False) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("floor", "ceiling", "higher"), [(0.5, 0.5, True), (0.6, 0.5, True), (0.5, 0.6, False)]
)
def test_there_is_no_gap_if_the_ceiling_is_no_better(floor, ceiling, higher):
    assert gap_closed(0.4, floor, ceiling, higher) is None
