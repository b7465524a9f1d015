from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cilsim.metrics.metric_sets import metric_set


@pytest.fixture
def two_stages(stream, predictions):
    """Two labelled classes, then two stages of two novel ones: outputs 2, 3 and 4, 5."""
    info = stream((2, 2, 2), tests=(4, 4, 2), unlabelled=(0, 4, 4))
    experiences = [
        dataclasses.replace(each, novel_classes=2 if each.index else 0) for each in info.experiences
    ]
    info = dataclasses.replace(info, experiences=tuple(experiences))
    history = [
        predictions(0, [0, 0, 1, 1], [0, 0, 1, 1]),
        predictions(1, [0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 1, 1, 3, 3, 2, 2]),
        # class 0 is predicted as 1 and 1 as 0; class 2 by output 3, class 3 once by output 2
        predictions(2, [0, 0, 1, 1, 2, 2, 3, 3, 4, 5], [1, 1, 0, 1, 3, 3, 2, 5, 4, 5]),
    ]
    unlabelled = [
        None,
        predictions(1, [2, 2, 3, 3], [3, 3, 2, 2]),
        predictions(2, [4, 4, 5, 5], [4, 4, 4, 4]),
    ]
    return history, info, unlabelled


def test_outputs_are_named_once_per_stage_on_unlabelled_samples(two_stages):
    # in stage 2 output 4 stands for 4 or 5, the unused output 5 for the class that is left
    found = metric_set("class-incd", *two_stages)
    expected = {"old": 1 / 4, "new": 5 / 6, "all": 6 / 10, "new_1": 3 / 4, "new_2": 1.0}
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert found["hm"] == pytest.approx(2 * (1 / 4) * (5 / 6) / (1 / 4 + 5 / 6))
    assert found["all_by_class"] == pytest.approx((1 / 4 + 3 / 4 + 1.0) / 3)


def test_after_one_stage_there_is_no_value_by_stage(two_stages):
    history, info, unlabelled = two_stages
    found = metric_set("class-incd", history[:2], info, unlabelled[:2])
    assert found == {"all": 1.0, "old": 1.0, "new": 1.0, "hm": 1.0}


def test_before_any_stage_new_has_no_meaning(two_stages):
    history, info, _ = two_stages
    found = metric_set("class-incd", history[:1], info, [None])
    assert (found["old"], found["all"]) == (1.0, 1.0)
    assert np.isnan([found["new"], found["hm"]]).all()


def test_without_the_unlabelled_predictions_of_a_stage_nothing_is_known(two_stages):
    history, info, _ = two_stages
    assert np.isnan(list(metric_set("class-incd", history, info).values())).all()


def test_more_outputs_than_classes_leave_some_unmatched(two_stages, predictions):
    history, info, unlabelled = two_stages
    info = dataclasses.replace(info, number_of_classes="over")
    # three outputs for two classes, so that the next stage begins at output 5
    unlabelled = [None, predictions(1, [2, 2, 3, 3], [2, 4, 3, 3]), None]
    last = predictions(1, [0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 1, 1, 2, 4, 3, 3])
    found = metric_set("class-incd", [history[0], last], info, unlabelled[:2])
    assert (found["old"], found["new"]) == (1.0, 3 / 4)
