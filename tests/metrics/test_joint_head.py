from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.metrics.clustering import matched_accuracy
from cilsim.metrics.few_shot import harmonic_mean
from cilsim.metrics.joint_head import (
    chain_assignments,
    joint_head_accuracy,
    joint_head_steps,
    name_joint_outputs,
    novel_head_assignment,
)

OLD = 3
PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=60)


def test_the_assignment_is_one_matching_of_the_novel_head_on_training_data():
    label, predicted = np.array([3, 3, 4, 4, 5]), np.array([1, 1, 0, 0, 2])
    assert novel_head_assignment(label, predicted, 3, [3, 4, 5]) == {0: 4, 1: 3, 2: 5}


def test_a_single_unused_cluster_stands_for_the_class_that_is_left():
    label, predicted = np.array([3, 3, 4, 4, 5]), np.array([1, 1, 0, 0, 0])
    assert novel_head_assignment(label, predicted, 3, [3, 4, 5]) == {0: 4, 1: 3, 2: 5}


def test_several_unused_clusters_stay_unmatched():
    label, predicted = np.array([3, 4, 5, 5]), np.array([1, 1, 1, 1])
    assert novel_head_assignment(label, predicted, 3, [3, 4, 5]) == {1: 5}


def test_old_classes_must_be_predicted_as_themselves():
    label, permuted = np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])
    assert joint_head_accuracy(label, permuted, {}, OLD).old == 0.0
    assert matched_accuracy(label, permuted, range(OLD)).old == 1.0


def test_joint_outputs_stand_for_the_clusters_of_the_novel_head():
    # outputs 3 and 4 are clusters 0 and 1, which are classes 4 and 3
    label = np.array([0, 1, 2, 3, 3, 4, 4, 4])
    predicted = np.array([0, 1, 4, 4, 3, 3, 3, 0])
    found = joint_head_accuracy(label, predicted, {0: 4, 1: 3}, OLD)
    assert found == (5 / 8, 2 / 3, 3 / 5)
    assert harmonic_mean(found.old, found.new) == pytest.approx(2 * (2 / 3) * 0.6 / (2 / 3 + 0.6))


def test_a_cluster_without_a_class_makes_errors():
    label, predicted = np.array([3, 3, 0]), np.array([4, 3, 0])
    np.testing.assert_array_equal(name_joint_outputs(predicted, {0: 3}, OLD), [-1, 3, 0])
    assert joint_head_accuracy(label, predicted, {0: 3}, OLD) == (2 / 3, 1.0, 1 / 2)


def test_a_subset_without_samples_is_nan():
    found = joint_head_accuracy(np.array([0, 1]), np.array([0, 0]), {}, OLD)
    assert found[:2] == (1 / 2, 1 / 2)
    assert np.isnan(found.new)
    assert np.isnan(harmonic_mean(found.old, found.new))


def test_clusters_of_several_steps_follow_each_other():
    assert chain_assignments([{0: 4, 1: 3}, {1: 5}], [2, 2]) == {0: 4, 1: 3, 3: 5}


def test_all_of_several_steps_weighs_classes_and_not_samples():
    label = np.array([0, 1, 2, 2, 3, 3, 3, 3])
    predicted = np.array([0, 0, 2, 0, 3, 3, 3, 0])
    found = joint_head_steps(label, predicted, {0: 3}, [(0, 1, 2), (3,)])
    assert found.by_step == (2 / 4, 3 / 4)
    assert found.all == pytest.approx((3 * 0.5 + 1 * 0.75) / 4)


def test_a_step_without_samples_is_nan_and_left_out_of_the_mean():
    found = joint_head_steps(np.array([0, 1]), np.array([0, 0]), {}, [(0, 1), (2,)])
    assert found.by_step[0] == found.all == 1 / 2
    assert np.isnan(found.by_step[1])
    none = np.array([], dtype=np.int64)
    assert np.isnan(joint_head_steps(none, none, {}, [(0, 1), (2,)]).all)


@pytest.mark.parametrize(
    ("assignment", "classes"),
    [({0: 2, 1: 3}, "[2, 3]"), ({0: 3, 1: 3}, "[3, 3]")],
    ids=["an old class", "one class twice"],
)
def test_an_assignment_that_is_not_one_to_one_on_novel_classes_is_refused(assignment, classes):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        joint_head_accuracy(np.array([0]), np.array([0]), assignment, OLD)
    assert str(caught.value) == (
        f"clusters are assigned to classes {classes}; expected different ones from 3 on"
    )


@given(PAIRS, st.permutations(range(4)))
@settings(deadline=None)
def test_renaming_novel_clusters_changes_nothing(pairs, names):
    label, predicted = np.array(pairs).T
    novel = label >= OLD
    clusters = np.where(predicted < OLD, 0, predicted - OLD)
    renamed = np.asarray(names)[clusters]
    joint = np.where(predicted < OLD, predicted, OLD + renamed)
    results = [
        joint_head_accuracy(
            label, outputs, novel_head_assignment(label[novel], head[novel], 4, range(3, 7)), OLD
        )
        for outputs, head in ((predicted, clusters), (joint, renamed))
    ]
    np.testing.assert_array_equal(*results)


@given(PAIRS, st.permutations(range(3, 7)))
@settings(deadline=None)
def test_a_second_matching_never_lowers_the_accuracy_over_all(pairs, classes):
    label, predicted = np.array(pairs).T
    joint = joint_head_accuracy(label, predicted, dict(enumerate(classes)), OLD)
    assert matched_accuracy(label, predicted, range(OLD)).all >= joint.all - 1e-12
