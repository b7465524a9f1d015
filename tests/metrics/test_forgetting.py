from __future__ import annotations

import re

import numpy as np
import pytest

from cilsim.metrics.forgetting import (
    average_incremental_accuracy,
    average_incremental_accuracy_by_experience,
    backward_transfer,
    forgetting,
    forgetting_by_experience,
    intransigence,
    performance_drop,
)

NAN = np.nan
R = np.array([[0.9, NAN, NAN], [0.95, 0.8, NAN], [0.5, 0.85, 0.7]])


def test_forgetting_uses_the_best_earlier_accuracy():
    np.testing.assert_allclose(forgetting_by_experience(R, 2), [0.95 - 0.5, 0.8 - 0.85])


def test_forgetting_is_negative_where_accuracy_rose():
    np.testing.assert_allclose(forgetting_by_experience(R, 1), [0.9 - 0.95])


def test_forgetting_is_the_mean_over_old_experiences():
    assert forgetting(R, 2) == pytest.approx((0.45 - 0.05) / 2)


def test_forgetting_ignores_accuracies_before_the_experience_was_learnt():
    full = np.array([[0.9, 0.99, 0.99], [0.95, 0.8, 0.99], [0.5, 0.85, 0.7]])
    assert forgetting(full, 2) == forgetting(R, 2)


def test_forgetting_after_the_first_experience_is_nan():
    assert forgetting_by_experience(R, 0).shape == (0,)
    assert np.isnan(forgetting(R, 0))


def test_forgetting_leaves_out_an_experience_without_test_samples():
    matrix = np.array([[0.9, NAN, NAN], [0.8, NAN, NAN], [0.6, NAN, 0.7]])
    np.testing.assert_allclose(forgetting_by_experience(matrix, 2), [0.3, NAN])
    assert forgetting(matrix, 2) == pytest.approx(0.3)


def test_backward_transfer_compares_with_just_after_learning():
    assert backward_transfer(R, 2) == pytest.approx(((0.5 - 0.9) + (0.85 - 0.8)) / 2)


def test_backward_transfer_without_old_experiences_is_nan():
    assert np.isnan(backward_transfer(R, 0))


def test_intransigence_is_what_the_joint_reference_has_more():
    assert intransigence(0.8, 0.7) == pytest.approx(0.1)


def test_average_incremental_accuracy_includes_the_base():
    assert average_incremental_accuracy([0.9, 0.6, 0.3]) == pytest.approx(0.6)


def test_average_incremental_accuracy_by_experience_weighs_experiences_the_same():
    expected = (0.9 + (0.95 + 0.8) / 2 + (0.5 + 0.85 + 0.7) / 3) / 3
    assert average_incremental_accuracy_by_experience(R, 2) == pytest.approx(expected)


def test_performance_drop_is_first_minus_last():
    assert performance_drop([0.9, 0.2, 0.6]) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("matrix", "after", "message"),
    [
        (R[:2], 1, "accuracy matrix has shape (2, 3); expected (T, T)"),
        (R, 3, "after=3; expected an experience from 0 to 2"),
        (R, -1, "after=-1; expected an experience from 0 to 2"),
    ],
    ids=["not square", "too late", "negative"],
)
def test_a_matrix_must_have_the_row(matrix, after, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        forgetting(matrix, after)
