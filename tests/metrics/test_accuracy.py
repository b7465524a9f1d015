from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cilsim.metrics.accuracy import accuracy, accuracy_matrix_row, confusion, macro_accuracy

LABEL = np.array([0, 0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 0, 1, 1, 0, 1])


def test_accuracy_counts_every_sample_the_same():
    assert accuracy(LABEL, PREDICTED) == 4 / 7


def test_macro_accuracy_counts_every_class_the_same():
    assert macro_accuracy(LABEL, PREDICTED, [0, 1, 2]) == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)


def test_macro_accuracy_looks_at_the_given_classes_only():
    assert macro_accuracy(LABEL, PREDICTED, (1, 0)) == pytest.approx((3 / 4 + 1 / 2) / 2)


def test_macro_accuracy_leaves_out_a_class_without_samples():
    assert macro_accuracy(LABEL, PREDICTED, [1, 7]) == 0.5


@pytest.mark.parametrize("classes", [[], [7]], ids=["no classes", "no samples"])
def test_macro_accuracy_of_nothing_is_nan(classes):
    assert np.isnan(macro_accuracy(LABEL, PREDICTED, classes))


def test_accuracy_of_no_samples_is_nan():
    none = np.array([], dtype=np.int64)
    assert np.isnan(accuracy(none, none))


def test_accuracy_matrix_row_has_one_accuracy_per_experience():
    owner = np.array([0, 0, 1])[LABEL]
    row = accuracy_matrix_row(LABEL, PREDICTED, owner, experiences=3)
    np.testing.assert_array_equal(row, [4 / 6, 0.0, np.nan])


def test_confusion_has_true_labels_as_rows():
    expected = [[3, 1, 0], [1, 1, 0], [0, 1, 0]]
    np.testing.assert_array_equal(confusion(LABEL, PREDICTED, 3), expected)


def test_confusion_of_many_classes_is_that_of_few_in_its_corner():
    """100 x 100 cells for 3 samples are counted cell by cell."""
    label, predicted = np.array([0, 2, 2]), np.array([1, 2, 2])
    counts = confusion(label, predicted, 100)
    np.testing.assert_array_equal(counts[:3, :3], confusion(label, predicted, 3))
    assert (counts.shape, counts.dtype, counts.sum()) == ((100, 100), np.int64, 3)


def test_confusion_leaves_out_predictions_of_no_class():
    counts = confusion(np.array([0, 1, 1]), np.array([-1, 1, 5]), 2)
    np.testing.assert_array_equal(counts, [[0, 0], [0, 1]])


def test_confusion_refuses_a_true_label_that_is_not_seen():
    with pytest.raises(ValueError, match=r"^true labels run from 0 to 2; expected 0 to 1$"):
        confusion(LABEL, PREDICTED, 2)


@pytest.mark.parametrize(
    "predicted", [np.array([0, 0]), np.zeros((1, 7), dtype=np.int64)], ids=["shorter", "matrix"]
)
def test_labels_and_predictions_must_pair(predicted):
    message = (
        f"labels have shape (7,) and predictions {predicted.shape}; "
        "expected two vectors of equal length"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        accuracy(LABEL, predicted)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_the_trace_of_the_confusion_is_the_accuracy(pairs):
    label, predicted = np.array(pairs).T
    counts = confusion(label, predicted, 5)
    assert counts.sum() == len(label)
    assert np.trace(counts) / len(label) == pytest.approx(accuracy(label, predicted))


def test_a_class_may_belong_to_the_test_parts_of_several_experiences():
    label, predicted = np.array([0, 1, 0, 1]), np.array([0, 1, 1, 1])
    row = accuracy_matrix_row(label, predicted, np.array([0, 0, 1, 1]), experiences=2)
    np.testing.assert_array_equal(row, [1.0, 1 / 2])
