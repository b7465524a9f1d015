from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.solvers.assignment import match_clusters


def test_the_total_weight_is_largest():
    columns = match_clusters(np.array([[5, 4, 0], [4, 0, 0], [0, 0, 1]]))
    np.testing.assert_array_equal(columns, [1, 0, 2])
    assert columns.dtype == np.int64


def test_costs_are_made_smallest():
    columns = match_clusters(np.array([[5.0, 4.0], [1.0, 9.0]]), minimise=True)
    np.testing.assert_array_equal(columns, [1, 0])


def test_rows_too_many_get_minus_one():
    columns = match_clusters(np.array([[1, 0], [3, 0], [0, 2]]))
    np.testing.assert_array_equal(columns, [-1, 0, 1])


def test_columns_too_many_stay_free():
    np.testing.assert_array_equal(match_clusters(np.array([[1, 0, 7]])), [2])


def test_a_tensor_is_taken_as_it_is():
    np.testing.assert_array_equal(match_clusters(torch.eye(3).flip(0)), [2, 1, 0])


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)], ids=str)
def test_nothing_to_assign(shape):
    np.testing.assert_array_equal(match_clusters(np.zeros(shape)), [-1] * shape[0])


def test_a_vector_is_refused():
    with pytest.raises(
        ValueError, match=r"^weights have shape \(3,\); expected \(clusters, classes\)$"
    ):
        match_clusters(np.zeros(3))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(value):
    with pytest.raises(
        ValueError, match=r"^weights hold NaN or infinity; expected finite numbers$"
    ):
        match_clusters(np.array([[1.0, value]]))


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
@settings(deadline=None)
def test_shuffled_rows_get_the_same_columns(rows, random):
    weights = np.array(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    pairs = sorted(zip(rows, match_clusters(weights).tolist(), strict=True))
    shuffled = weights[order]
    assert pairs == sorted(zip(shuffled.tolist(), match_clusters(shuffled).tolist(), strict=True))


def test_assignment_imports_no_torch():
    command = "import sys, cilsim.solvers.assignment; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
