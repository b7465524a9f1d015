import math

import pytest

from cilsim.metrics.statistics import Interval
from cilsim.report.formatting import (
    aligned,
    duration,
    percent,
    percent_interval,
    printable,
    size,
)


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.7784, "77.8"), (1.0, "100.0"), (-0.0001, "0.0"), (-0.031, "-3.1"), (None, "-"),
     (math.nan, "-")],
)  # fmt: skip
def test_percent_has_one_decimal_and_no_negative_zero(fraction, text):
    assert percent(fraction) == text


def test_an_interval_is_printed_as_mean_and_half_width():
    assert percent_interval(Interval(0.7, 0.65, 0.75, 3)) == "70.0 ± 5.0"


def test_a_single_value_is_printed_without_a_width():
    assert percent_interval(Interval(0.7, math.nan, math.nan, 1)) == "70.0"


def test_a_missing_interval_is_a_dash():
    assert percent_interval(None) == "-"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"),
     (2_500_000_000, "2.5 GB"), (4e12, "4.0 TB")],
)  # fmt: skip
def test_sizes_have_decimal_units(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.034, "0.03 s"), (0.996, "1.0 s"), (9.34, "9.3 s"), (59.94, "59.9 s"), (59.96, "1:00"),
     (842, "14:02"), (3723, "1:02:03")],
)  # fmt: skip
def test_durations_read_like_a_clock_from_a_minute_on(seconds, text):
    assert duration(seconds) == text


def test_control_characters_cannot_reach_a_terminal():
    assert printable("a\x1b[31mb\nc\u202ed") == "a?[31mb?c?d"


def test_characters_that_the_encoding_lacks_are_replaced():
    assert printable("é 1 ± 2", "ascii") == "? 1 +/- 2"


def test_the_first_column_is_flush_left_and_the_others_right():
    assert aligned([["name", "n"], ["x", "100"]]) == ["name    n", "x     100"]
