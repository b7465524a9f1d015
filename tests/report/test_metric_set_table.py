from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cilsim.records import Predictions
from cilsim.report.metric_set_table import metric_set_table, metric_set_values


def predicted(experience, label, outputs):
    return Predictions(experience, np.arange(len(label)), np.array(label), np.array(outputs))


@pytest.fixture
def discovery(make_result, discovery_stream):
    """Two old classes, then one to discover; the joint head is right on all but one sample."""
    base, stage = discovery_stream.experiences
    stream = dataclasses.replace(
        discovery_stream,
        experiences=(
            dataclasses.replace(base, test=2),
            dataclasses.replace(stage, test=2, novel_classes=1),
        ),
    )
    result = make_result("frost")
    first, second, _ = result.evaluations
    evaluations = (
        dataclasses.replace(first, predictions=predicted(0, [0, 1], [0, 1])),
        dataclasses.replace(
            second,
            predictions=predicted(1, [0, 1, 2, 2], [0, 1, 2, 1]),
            unlabelled=predicted(1, [2, 2, 2], [2, 2, 2]),
        ),
    )
    run = dataclasses.replace(result.run, stream=stream)
    return dataclasses.replace(result, run=run, evaluations=evaluations)


def test_values_use_the_predictions_of_unlabelled_samples(discovery):
    values = metric_set_values("class-incd", discovery)
    assert values == pytest.approx({"all": 3 / 4, "old": 1.0, "new": 1 / 2, "hm": 2 / 3})


def test_values_without_a_meaning_are_left_out(discovery):
    assert metric_set_values("class-incd", discovery, after=0) == {"all": 1.0, "old": 1.0}


def test_the_table_has_a_row_per_strategy(discovery):
    title, *lines = metric_set_table("class-incd", [discovery]).splitlines()
    assert title == (
        "class-incd: old classes as themselves, clusters matched once on unlabelled samples; "
        "in percent"
    )
    assert [line.split() for line in lines] == [
        ["strategy", "n", "all", "old", "new", "hm"],
        ["frost", "1", "75.0", "100.0", "50.0", "66.7"],
    ]
