from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.metrics.clustering import matched_accuracy, split_matched_accuracy
from cilsim.metrics.discovery_variants import crkd_v1_accuracy, crkd_v3_accuracy

CASES = ("random", "permuted", "bias_to_old", "underclustered", "imbalanced", "tie")
PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=60)


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
@pytest.mark.parametrize("case", CASES, indirect=True)
def test_accuracy_equals_that_of_crkd(case, version):
    metric = {"v1": crkd_v1_accuracy, "v2": matched_accuracy, "v3": crkd_v3_accuracy}[version]
    found = metric(case["y_true"], case["y_pred"], case["old"])
    expected = case[f"crkd_{version}_all_seen_novel"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_ids_of_old_classes_stand_for_themselves():
    label, predicted = np.array([0, 0, 1, 2, 2, 3]), np.array([1, 1, 1, 3, 3, 2])
    assert crkd_v1_accuracy(label, predicted, [0, 1]) == (5 / 6, 1 / 3, 1.0)
    assert crkd_v3_accuracy(label, predicted, [0, 1]) == (4 / 6, 1 / 3, 1.0)


@pytest.mark.parametrize("metric", [crkd_v1_accuracy, crkd_v3_accuracy])
def test_an_empty_subset_is_nan(metric):
    found = metric(np.array([0, 1]), np.array([0, 0]), [0, 1])
    assert found[:2] == (1 / 2, 1 / 2)
    assert np.isnan(found.new)
    none = np.array([], dtype=np.int64)
    assert np.isnan(metric(none, none, [0])).all()


@given(PAIRS, st.permutations(range(4)), st.integers(0, 5))
@settings(deadline=None)
def test_renaming_novel_ids_changes_nothing(pairs, names, old):
    label, predicted = np.array(pairs).T
    novel = np.array([*range(old), *(old + np.argsort(np.argsort(names)))])
    label, predicted = np.minimum(label, len(novel) - 1), np.minimum(predicted, len(novel) - 1)
    for metric in (crkd_v1_accuracy, crkd_v3_accuracy):
        np.testing.assert_array_equal(
            metric(label, novel[predicted], range(old)), metric(label, predicted, range(old))
        )


@given(PAIRS, st.integers(0, 6))
@settings(deadline=None)
def test_the_more_is_fixed_the_lower_the_accuracy(pairs, old):
    label, predicted = np.array(pairs).T
    v1, v2, v3, split = (
        np.nan_to_num(metric(label, predicted, range(old)))
        for metric in (
            crkd_v1_accuracy,
            matched_accuracy,
            crkd_v3_accuracy,
            split_matched_accuracy,
        )
    )
    everything, novel = 0, 2
    assert split[everything] >= v2[everything] - 1e-12 >= v3[everything] - 2e-12
    assert v1[everything] == v2[everything]
    assert v1[novel] >= v3[novel] - 1e-12
    assert v1[novel] == split[novel]
