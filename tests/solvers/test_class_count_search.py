from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cilsim.solvers.class_count_search import Memo, bisection, bounded, zoom


class Counting:
    """A score with one peak that counts its calls."""

    def __init__(self, peak):
        self.peak = peak
        self.calls = []

    def __call__(self, classes):
        self.calls.append(classes)
        return -abs(classes - self.peak)


@pytest.mark.parametrize("search", [bounded, bisection, zoom])
def test_no_number_is_scored_twice(search):
    score = Counting(37)
    search(Memo(score), 10, 200)
    assert len(score.calls) == len(set(score.calls))
    assert all(10 <= classes <= 200 for classes in score.calls)


@pytest.mark.parametrize("search", [bounded, zoom])
@pytest.mark.parametrize("peak", [10, 11, 37, 150, 198])
def test_a_single_peak_is_found(search, peak):
    assert search(Memo(Counting(peak)), 10, 200) == peak


def test_bounded_repeats_scipys_real_numbers_on_whole_ones():
    from scipy.optimize import minimize_scalar

    curve = [math.sin(classes) + classes / 10 for classes in range(60)]
    found = minimize_scalar(lambda x: -curve[int(x)], bounds=(5, 50), method="bounded")
    memo = Memo(lambda classes: curve[classes])
    assert bounded(memo, 5, 50) == int(found.x)
    assert len(memo.values) < found.nfev


def test_bisection_keeps_the_better_half():
    # low, middle, high: 5, 12, 20; then 12, 16, 20; 12, 14, 16; 14, 15, 16; log2(15) gives 3 steps
    memo = Memo(Counting(15))
    assert bisection(memo, 5, 20) == 15
    assert sorted(memo.values) == [5, 12, 14, 15, 16, 20]


def test_bisection_replaces_the_upper_end_on_ties():
    assert bisection(Memo(lambda classes: 0.0), 5, 20) == 5


def test_zoom_takes_the_smallest_of_equally_good_numbers():
    assert zoom(Memo(lambda classes: min(classes, 7)), 2, 12) == 7


def test_zoom_looks_at_every_number_of_a_short_range():
    memo = Memo(Counting(4))
    zoom(memo, 2, 12)
    assert sorted(memo.values) == list(range(2, 13))


@pytest.mark.parametrize("search", [bounded, bisection, zoom])
def test_a_range_of_one_is_the_answer(search):
    assert search(Memo(Counting(3)), 5, 5) == 5


@pytest.mark.parametrize("search", [bounded, bisection, zoom])
def test_a_range_of_two_is_compared(search):
    assert search(Memo(Counting(6)), 5, 6) == 6


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(1, 50))
def test_any_score_ends_inside_the_bounds(values, at_least):
    at_most = at_least + len(values) - 1
    for search in (bounded, bisection, zoom):
        memo = Memo(lambda classes: values[classes - at_least])
        found = search(memo, at_least, at_most)
        assert at_least <= found <= at_most
        assert found in memo.values
