from dataclasses import replace

import numpy as np
import pytest

from cilsim.errors import CheckpointError
from cilsim.records import Predictions
from cilsim.report.run_difference import MetricChange, PredictionChange, run_difference
from cilsim.results.seed_folder import SeedFolder


@pytest.fixture
def store(tmp_path, evaluations, stream):
    """Stores a run; its evaluations may be changed by experience."""

    def make(name, changes=None, own_stream=stream, count=3):
        folder = SeedFolder(tmp_path / name / "seed-0", name, 0)
        made = [(changes or {}).get(i, lambda one: one)(one) for i, one in enumerate(evaluations)]
        for last in range(count):
            folder.write_evaluation(made[: last + 1], own_stream)
        return folder

    return make


def predicted(*labels):
    return lambda one: replace(
        one,
        predictions=Predictions(
            one.experience, one.predictions.index, one.predictions.label, np.array(labels)
        ),
    )


def test_equal_runs_are_equal_whatever_they_cost(store):
    slower = {1: lambda one: replace(one, seconds={"train": 99.0})}
    found = run_difference(store("one"), store("two", slower))
    assert (found.equal, found.metrics, found.predictions) == (True, (), ())
    # 60 + 1.5, 30 + 1.5, 20 + 1.5, and of the other 61.5 + 99 + 21.5
    assert found.costs == {"seconds": (114.5, 182.0), "bytes_kept": (2024.0, 2024.0)}


def test_metrics_that_differ_are_listed_by_experience_and_name(store):
    def changed(one):
        return one.with_values({"A_all": 0.5, "new": 1.0, "A_hm": one.values["A_hm"]})

    found = run_difference(store("one"), store("two", {1: changed}))
    assert found.metrics == (
        MetricChange(1, "A_all", 0.77, 0.5),
        MetricChange(1, "A_base", 0.8, None),
        MetricChange(1, "A_novel", 0.7, None),
        MetricChange(1, "forgetting", 0.1, None),
        MetricChange(1, "new", None, 1.0),
    )
    assert not found.equal


def test_changed_predictions_are_counted_by_experience(store):
    found = run_difference(store("one"), store("two", {2: predicted(0, 0, 2, 1)}))
    assert found.predictions == (PredictionChange(2, "test", changed=2, shared=4, others=0),)
    assert not found.equal


def test_predictions_are_compared_by_class_id(store, stream):
    # the same classes in another order: labels differ, class ids do not
    turned = replace(stream, class_ids=(3, 7, 5, 1))
    swapped = {0: predicted(1, 0), 1: predicted(1, 0, 2), 2: predicted(1, 0, 2, 3)}
    assert run_difference(store("one"), store("two", swapped, turned)).predictions == ()


def test_samples_of_one_run_alone_are_told(store):
    def fewer(one):
        found = one.predictions
        return replace(one, predictions=Predictions(2, *(
            array[:3] for array in (found.index, found.label, found.predicted))))  # fmt: skip

    found = run_difference(store("one"), store("two", {2: fewer}))
    assert found.predictions == (PredictionChange(2, "test", changed=0, shared=3, others=1),)


def test_a_run_that_went_further_is_not_equal(store):
    found = run_difference(store("one"), store("two", count=2))
    assert (found.experiences, found.metrics, found.equal) == ((3, 2), (), False)


def test_a_damaged_file_is_named_and_refused(store):
    one, two = store("one"), store("two")
    path = two.path / "predictions" / "experience-01.npz"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(CheckpointError) as caught:
        run_difference(one, two)
    assert str(caught.value) == (
        f"{path}: is damaged: its checksum does not match the one in SHA256SUMS"
    )
