from __future__ import annotations

import numpy as np
import pytest

from cilsim.metrics.matching import contingency, hungarian_match, relabel


def test_contingency_has_clusters_as_rows_and_keeps_only_ids_that_occur():
    counts, clusters, labels = contingency(np.array([3, 3, 8, 8]), np.array([90, 7, 7, 7]))
    np.testing.assert_array_equal(counts, [[1, 2], [1, 0]])
    np.testing.assert_array_equal(clusters, [7, 90])
    np.testing.assert_array_equal(labels, [3, 8])


def test_hungarian_match_maximises_the_samples_matched():
    label = np.array([0, 0, 0, 1, 1, 1])
    predicted = np.array([5, 5, 5, 5, 5, 9])
    assert hungarian_match(label, predicted) == {5: 0, 9: 1}


def test_a_cluster_too_many_stays_unmatched():
    label = np.array([0, 0, 0, 1, 1, 1])
    predicted = np.array([0, 0, 2, 1, 1, 1])
    match = hungarian_match(label, predicted)
    assert match == {0: 0, 1: 1}
    np.testing.assert_array_equal(relabel(predicted, match), [0, 0, -1, 1, 1, 1])


def test_a_class_too_many_stays_unmatched():
    assert hungarian_match(np.array([0, 1, 1]), np.array([4, 4, 4])) == {4: 1}


def test_no_samples_match_nothing():
    none = np.array([], dtype=np.int64)
    assert hungarian_match(none, none) == {}
    assert relabel(none, {}).shape == (0,)


@pytest.mark.parametrize("predicted", [[5, 5, 6, 6], [6, 6, 5, 5], [5, 6, 5, 6]], ids=str)
def test_a_tie_gives_lower_labels_more_samples(predicted):
    label = np.array([0, 1, 0, 1])
    named = relabel(np.array(predicted), hungarian_match(label, np.array(predicted)))
    hits = (named == label).tolist()
    assert hits[0] + hits[2] >= hits[1] + hits[3]


def test_a_cluster_shared_equally_goes_to_the_lower_label():
    assert hungarian_match(np.array([4, 4, 9, 9]), np.array([1, 1, 1, 1])) == {1: 4}
