from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.metrics.clustering import matched_accuracy
from cilsim.metrics.stages import (
    StageAccuracy,
    grow_and_merge_summary,
    happy_summary,
    stage_accuracy,
)

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=60)
LABEL = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
PREDICTED = np.array([7, 7, 7, 5, 5, 5, 9, 9, 7, 3])
# cluster 7 is class 0, 5 is class 1, 9 is class 2, 3 is left over


@pytest.fixture
def stages():
    """Three stages worked by hand; A0 is 0.9."""
    return [
        StageAccuracy(all=0.7, old_hard=0.8, new_hard=0.5, old_soft=0.8, new_soft=0.5),
        StageAccuracy(all=0.6, old_hard=0.7, new_hard=0.4, old_soft=0.65, new_soft=0.3),
        StageAccuracy(all=0.6, old_hard=0.75, new_hard=0.4, old_soft=0.6, new_soft=0.6),
    ]


def test_hard_and_soft_share_one_matching():
    found = stage_accuracy(LABEL, PREDICTED, base_labels=[0], new_labels=[2])
    assert found == (7 / 10, 3 / 4, 4 / 6, 5 / 6, 2 / 4)
    assert found.hard == (7 / 10, 3 / 4, 4 / 6)
    assert found.soft == (7 / 10, 5 / 6, 2 / 4)
    assert (found.seen, found.unseen) == (5 / 6, 2 / 4)


def test_a_subset_without_samples_is_nan():
    found = stage_accuracy(LABEL, PREDICTED, base_labels=[0, 1, 2], new_labels=[4])
    assert (found.all, found.old_hard, found.old_soft) == (7 / 10, 7 / 10, 7 / 10)
    assert np.isnan([found.new_hard, found.new_soft]).all()


def test_happy_takes_the_worst_stage_and_the_mean_of_new(stages):
    found = happy_summary(0.9, stages)
    assert found == pytest.approx((0.9 - 0.7, (0.5 + 0.3 + 0.6) / 3))


def test_grow_and_merge_takes_all_seen_classes_and_the_last_stage(stages):
    assert grow_and_merge_summary(0.9, stages) == pytest.approx((0.9 - 0.6, 0.6))


@pytest.mark.parametrize("summary", [happy_summary, grow_and_merge_summary])
def test_without_stages_nothing_was_forgotten_or_discovered(summary):
    assert np.isnan(summary(0.9, [])).all()


@given(PAIRS, st.permutations(range(8)), st.integers(1, 5))
@settings(deadline=None)
def test_renaming_clusters_changes_no_stage(pairs, names, newest):
    label, predicted = np.array(pairs).T
    groups = {"base_labels": [0, 1], "new_labels": [newest]}
    np.testing.assert_array_equal(
        stage_accuracy(label, np.array(names)[predicted], **groups),
        stage_accuracy(label, predicted, **groups),
    )


@given(PAIRS)
@settings(deadline=None)
def test_both_definitions_are_gcd_v2_with_other_old_classes(pairs):
    label, predicted = np.array(pairs).T
    found = stage_accuracy(label, predicted, base_labels=[0, 1], new_labels=[4, 5])
    np.testing.assert_array_equal(found.hard, matched_accuracy(label, predicted, [0, 1]))
    np.testing.assert_array_equal(found.soft, matched_accuracy(label, predicted, [0, 1, 2, 3]))
