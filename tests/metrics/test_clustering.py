from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.metrics.clustering import (
    ari,
    balanced_matched_accuracy,
    cluster_accuracy,
    matched_accuracy,
    nmi,
    purity,
    split_matched_accuracy,
)
from cilsim.metrics.matching import hungarian_match

CASES = (
    "random",
    "permuted",
    "bias_to_old",
    "overclustered",
    "underclustered",
    "imbalanced",
    "tie",
    "sparse_pred_ids",
)
LABEL = np.array([0, 0, 0, 1, 2, 2, 2, 2])
PREDICTED = np.array([7, 7, 7, 7, 7, 7, 7, 3])
PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=60)


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_matched_accuracy_equals_gcd_v2(case):
    found = matched_accuracy(case["y_true"], case["y_pred"], case["old"])
    expected = case["v2_all_old_new"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_cluster_accuracy_equals_that_of_gcd(case):
    found = cluster_accuracy(case["y_true"], case["y_pred"])
    np.testing.assert_allclose(found, case["cluster_acc"], rtol=0, atol=1e-12)


def test_clusters_too_many_make_errors():
    assert cluster_accuracy(np.array([0, 0, 0, 0]), np.array([1, 1, 2, 3])) == 2 / 4


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_split_matched_accuracy_equals_gcd_v1(case):
    found = split_matched_accuracy(case["y_true"], case["y_pred"], case["old"])
    np.testing.assert_allclose(found, case["v1_all_old_new"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_balanced_matched_accuracy_equals_that_of_simgcd(case):
    found = balanced_matched_accuracy(case["y_true"], case["y_pred"], case["old"])
    np.testing.assert_allclose(found, case["v2balanced_all_old_new"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_measures_without_matching_equal_the_reference(case):
    label, predicted = case["y_true"], case["y_pred"]
    found = (nmi(label, predicted), ari(label, predicted), purity(label, predicted))
    expected = (case["nmi"], case["ari"], case["purity"])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_the_match_gives_as_many_samples_as_that_of_gcd(case):
    match = hungarian_match(case["y_true"], case["y_pred"])
    weights = case["contingency_pred_by_true"]
    best = weights[tuple(case["assignment_pred_true"].T)].sum()
    assert sum(weights[cluster, label] for cluster, label in match.items()) == best


def test_one_matching_punishes_a_cluster_shared_by_an_old_and_a_new_class():
    assert matched_accuracy(LABEL, PREDICTED, [0, 1]) == (4 / 8, 3 / 4, 1 / 4)
    assert split_matched_accuracy(LABEL, PREDICTED, [0, 1]) == (6 / 8, 3 / 4, 3 / 4)


def test_balanced_accuracy_means_over_classes():
    found = balanced_matched_accuracy(LABEL, PREDICTED, [0, 1])
    np.testing.assert_allclose(found, [(1 + 0 + 1 / 4) / 3, 1 / 2, 1 / 4])


@pytest.mark.parametrize(
    "metric", [matched_accuracy, split_matched_accuracy, balanced_matched_accuracy]
)
def test_an_empty_subset_is_nan(metric):
    found = metric(LABEL, PREDICTED, [0, 1, 2])
    assert found.old == found.all > 0
    assert np.isnan(found.new)


@pytest.mark.parametrize("metric", [nmi, ari, purity])
def test_no_samples_agree_on_nothing(metric):
    none = np.array([], dtype=np.int64)
    assert np.isnan(metric(none, none))


@pytest.mark.parametrize("metric", [nmi, ari, purity])
@pytest.mark.parametrize("label", [[0], [0, 0, 0], [0, 1, 2]], ids=["one", "one class", "single"])
def test_equal_partitions_agree_fully(metric, label):
    assert metric(np.array(label), np.array(label) + 4) == 1.0


@given(PAIRS)
@settings(deadline=None)
def test_nmi_and_ari_equal_scikit_learn(pairs):
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    label, predicted = np.array(pairs).T
    assert nmi(label, predicted) == pytest.approx(
        normalized_mutual_info_score(label, predicted), abs=1e-9
    )
    assert ari(label, predicted) == pytest.approx(adjusted_rand_score(label, predicted), abs=1e-9)


@given(PAIRS, st.permutations(range(8)), st.integers(0, 6))
@settings(deadline=None)
def test_renaming_clusters_changes_no_metric(pairs, names, old):
    label, predicted = np.array(pairs).T
    renamed = np.array(names)[predicted]
    for metric in (matched_accuracy, split_matched_accuracy, balanced_matched_accuracy):
        np.testing.assert_array_equal(
            metric(label, renamed, range(old)), metric(label, predicted, range(old))
        )
    for agreement in (nmi, ari, purity):
        assert agreement(label, renamed) == agreement(label, predicted)


@given(PAIRS, st.integers(0, 6))
@settings(deadline=None)
def test_split_matching_is_never_below_one_matching(pairs, old):
    label, predicted = np.array(pairs).T
    split = np.nan_to_num(split_matched_accuracy(label, predicted, range(old)))
    one = np.nan_to_num(matched_accuracy(label, predicted, range(old)))
    assert (split >= one - 1e-12).all()  # All, Old and New


@given(PAIRS)
@settings(deadline=None)
def test_one_matching_finds_the_best_of_all_matchings(pairs):
    from itertools import permutations

    label, predicted = np.array(pairs).T % 4
    best = max(np.mean(np.array(names)[predicted] == label) for names in permutations(range(4)))
    assert matched_accuracy(label, predicted, [0]).all == pytest.approx(best)
