from __future__ import annotations

import math

import pytest

from cilsim.metrics.statistics import Interval, PairedDifference, mean_interval, paired_difference

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
