from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from cilsim import hookimpl
from cilsim.testing import Project, StrategyContract
from cilsim_fetril.options import FetrilOptions

IDENTITY = {"backbone": "identity"}


class TestFetril(StrategyContract):
    strategy = "fetril"


class TestFetrilOnTheRingItself(StrategyContract):
    """On the plane a cloud in the middle of others has no linear classifier: normalised it has."""

    strategy = "fetril"
    options = {"source": "cosine"}
    changes = IDENTITY

    def test_forgets_nothing(self, project: Project) -> None:
        assert self.run(project).accuracy_matrix()[-1].min() >= 0.98

    def test_keeps_one_vector_per_class_and_the_classifier(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [
            {"prototypes": classes * 2 * 4, "classifier": classes * 3 * 4}
            for classes in (2, 4, 6, 8, 10)
        ]


class TestFetrilRandom(StrategyContract):
    strategy = "fetril"
    options = {"source": "random"}
    changes = IDENTITY


class TestFetrilLinear(StrategyContract):
    strategy = "fetril"
    options = {"classifier": "linear"}


class TestFetrilCalibrated(StrategyContract):
    strategy = "fetril"
    options = {
        "calibrators": [{"name": "teen", "calibration_weight": 0.1}],
    }
    changes = IDENTITY


@pytest.fixture
def stored_run(tmp_path: Path, golden: Path) -> Any:
    """Return a function that runs fetril on golden features and returns arrays and predictions."""

    def run(name: str, sizes: list[int], **options: Any) -> tuple[Any, list[dict[str, Any]]]:
        arrays = dict(np.load(golden / f"{name}.npz", allow_pickle=False))
        parts = {}
        for part in ("train", "test"):
            features = arrays[f"{part}_features"].astype(np.float32)
            classes, each, size = features.shape
            parts[f"x_{part}"] = features.reshape(-1, size)
            parts[f"y_{part}"] = np.repeat(np.arange(classes), each)
        project = Project.create(tmp_path)
        np.savez(tmp_path / "features.npz", **parts)
        dataset = {"name": "arrays", "path": "features.npz"}
        scenario = {
            "stream": {"dataset": dataset, "kind": "class_incremental", "sizes": sizes},
            "class_order": "natural",
            "backbone": "identity",
            "strategy": {"name": "fetril", **options},
        }
        assert not project.run(scenario).failures
        predictions = project.files("toy", "fetril").predictions()
        return arrays, [stored["predicted"][np.argsort(stored["index"])] for stored in predictions]

    return run


RELEASED = ("fetril_pipeline_d24", [10, 2, 2, 2])


def test_predicts_what_the_released_script_intends(stored_run: Any) -> None:
    arrays, predicted = stored_run(*RELEASED)
    assert len(predicted) == 4
    for t, found in enumerate(predicted):
        np.testing.assert_array_equal(found, arrays[f"s{t}_intended_pred"].ravel())


def test_predicts_what_the_released_script_does_with_its_bug(stored_run: Any) -> None:
    arrays, predicted = stored_run(*RELEASED, released_bug=True)
    assert len(predicted) == 4
    for t, found in enumerate(predicted):
        np.testing.assert_array_equal(found, arrays[f"s{t}_pred"].ravel())


def test_predicts_what_pycil_does(stored_run: Any) -> None:
    arrays, predicted = stored_run("fetril_pycil_cosine", [12, 4, 4], source="cosine")
    assert len(predicted) == 3
    for t, found in enumerate(predicted):
        np.testing.assert_array_equal(found, arrays[f"s{t}_svm_pred"])


class Doubling:
    """A plugin that leaves the new means at another length."""

    cilsim_api = 1

    def __init__(self, factor: float) -> None:
        self.factor = factor

    @hookimpl
    def cilsim_calibrate_prototypes(self, prototypes: Any) -> None:
        new = list(prototypes.new)
        prototypes.update(new, self.factor * prototypes.vectors[new], by="doubling")


class Turning:
    """A plugin that turns every new mean by a quarter."""

    cilsim_api = 1

    @hookimpl
    def cilsim_calibrate_prototypes(self, prototypes: Any) -> None:
        new = list(prototypes.new)
        quarter = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
        prototypes.update(new, prototypes.vectors[new] @ quarter, by="turning")


def ring_predictions(folder: Path, *plugins: Any) -> tuple[list[Any], list[Any]]:
    folder.mkdir()
    project = Project.create(folder, [(type(p).__name__, p) for p in plugins])
    assert not project.plugins.broken
    strategy = {"name": "fetril", "source": "cosine"}
    assert not project.run(project.ring_scenario(strategy, **IDENTITY)).failures
    stored = project.files("toy", "fetril").predictions()
    return [one["predicted"] for one in stored], [one["label"] for one in stored]


class TestCalibration:
    def test_the_length_of_a_calibrated_mean_does_not_matter(self, tmp_path: Path) -> None:
        plain, _ = ring_predictions(tmp_path / "plain")
        halved, _ = ring_predictions(tmp_path / "halved", Doubling(0.5))
        for one, other in zip(plain, halved, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_training_rows_move_to_the_calibrated_means_at_once(self, tmp_path: Path) -> None:
        """Means turned by a quarter make the classifier right on classes turned by a quarter.

        A quarter of ten classes is two and a half: every sample falls between the clouds of the
        classes two and three places before its own, as far as these were seen.
        """
        turned, labels = ring_predictions(tmp_path / "turned", Turning())
        behind = (labels[-1] - turned[-1]) % 10
        assert set(behind.tolist()) <= {2, 3}


def test_shares_the_base_with_strategies_that_do_not_change_it(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    alone = project.ring_scenario({"name": "fetril", "classifier": "linear"})
    together = project.ring_scenario(None)
    del together["strategy"]
    together["strategies"] = ["nmc", {"name": "fetril", "classifier": "linear"}]
    for name, scenario in (("alone", alone), ("together", together)):
        assert not project.run(scenario, name).failures
    folders = [project.files(name, "fetril") for name in ("alone", "together")]
    assert folders[0].deterministic_bytes() == folders[1].deterministic_bytes()


def test_says_when_the_svm_is_not_solved(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    project = Project.create(tmp_path)
    strategy = {"name": "fetril", "svm_tolerance": 1e-12}
    stream = {"kind": "class_incremental", "sizes": [5]}
    with caplog.at_level(logging.WARNING, logger="cilsim_fetril"):
        project.run(project.ring_scenario(strategy, stream, **IDENTITY))
    (record,) = [r for r in caplog.records if r.name == "cilsim_fetril.classifiers"]
    assert record.args is not None
    assert record.getMessage() == (
        f"experience 0: the SVM stands at gradient {record.args[1]:.1e} after 100 Newton steps, "
        "svm_tolerance is 1.0e-12; a smaller 'svm_c' may help"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"source": "random", "rank": 2},
            "Value error, 'rank' orders new classes by similarity; source 'random' has none",
        ),
        (
            {"classifier": "linear", "released_bug": True},
            "Value error, released_bug is a bug of classifier 'linear_svm', not of 'linear'",
        ),
        ({"rank": 0}, "Input should be greater than or equal to 1"),
        ({"svm_c": 0.0}, "Input should be greater than 0"),
        ({"source": "nearest"}, "Input should be 'euclidean', 'cosine' or 'random'"),
    ],
    ids=["rank of a draw", "bug of another classifier", "rank 0", "no loss", "unknown source"],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        FetrilOptions(**options)
    assert [one["msg"] for one in error.value.errors()] == [message]


def test_features_that_are_all_zero_end_no_run(tmp_path: Path) -> None:
    """As those of a network whose ReLUs have died: a third of the samples of each class here."""
    generator = np.random.default_rng(0)
    centres, parts = generator.normal(0.0, 3.0, (4, 16)), {}
    for part, each in (("train", 30), ("test", 6)):
        y = np.repeat(np.arange(4), each)
        x = (centres[y] + generator.normal(0.0, 1.0, (len(y), 16))).clip(0.0)
        x[::3] = 0.0
        parts |= {f"x_{part}": x.astype(np.float32), f"y_{part}": y}
    np.savez(tmp_path / "dead.npz", **parts)
    stream = {
        "kind": "class_incremental",
        "dataset": {"name": "arrays", "path": "dead.npz"},
        "sizes": [2, 2],
    }
    project = Project.create(tmp_path)
    outcome = project.run(project.ring_scenario("fetril", stream, **IDENTITY))
    assert outcome.failures == ()
    assert outcome.results[0].final["A_all"] > 0.6  # what is not zero is told apart
