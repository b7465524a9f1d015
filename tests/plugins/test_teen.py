from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.testing import Project, StrategyContract

Stored = list[dict[str, Any]]
FEW_SHOT = {
    "kind": "few_shot_class_incremental",
    "base_classes": 4,
    "way": 2,
    "shot": 5,
    "shots": "per_seed",
}


class TestTeen(StrategyContract):
    strategy = "teen"


class TestTeenOnTheRingItself(StrategyContract):
    strategy = "teen"
    options = {"calibration_weight": 0.1}
    changes = {"backbone": "identity"}

    def test_stays_right_with_a_small_weight(self, project: Project) -> None:
        assert self.run(project).accuracy_matrix()[-1].min() > 0.95


# --------------------------------------------------- the released code's results


@pytest.fixture(scope="module")
def arrays(golden: Path) -> dict[str, Any]:
    """Features, settings and outputs of the authors' pipeline."""
    with np.load(golden / "teen_calib_cifar100like.npz", allow_pickle=False) as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def project(arrays: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which the golden features were run: teen, nmc, and nmc with the calibrator."""
    made = Project.create(tmp_path_factory.mktemp("golden-teen"))
    np.savez(
        made.folder / "features.npz",
        x_train=np.concatenate([arrays["x_base"], arrays["x_shot"].reshape(-1, 64)]),
        y_train=np.concatenate([arrays["y_base"], arrays["y_shot"].reshape(-1)]),
        x_test=arrays["x_test"],
        y_test=arrays["y_test"],
    )
    options = {
        "calibration_weight": float(arrays["shift_weight"]),
        "similarity_scale": float(arrays["softmax_t"]),
    }
    stream = {
        "kind": "few_shot_class_incremental",
        "dataset": {"name": "arrays", "path": "features.npz"},
        "base_classes": 60,
        "way": 5,
        "shot": 5,
    }
    strategies = [
        {"name": "teen", **options},
        "nmc",
        {"name": "nmc", "as": "calibrated", "calibrators": [{"name": "teen", **options}]},
    ]
    outcome = made.run({"stream": stream, "backbone": "identity", "strategies": strategies})
    assert not outcome.failures
    return made


def assert_predictions(stored: Stored, expected: Any) -> None:
    """Compare with (sessions, samples) labels, -1 where a sample is not yet evaluated."""
    assert len(stored) == len(expected) == 9
    for session, predictions in enumerate(stored):
        ours = np.full(expected.shape[1], -1)
        ours[predictions["index"]] = predictions["predicted"]
        np.testing.assert_array_equal(ours, expected[session])


def test_predictions_equal_the_released_code_in_every_session(
    project: Project, arrays: dict[str, Any]
) -> None:
    assert_predictions(project.files("toy", "teen").predictions(), arrays["preds"])


def test_nmc_equals_the_released_code_without_calibration(
    project: Project, arrays: dict[str, Any]
) -> None:
    assert_predictions(project.files("toy", "nmc").predictions(), arrays["preds_ncm"])


def test_the_calibrator_over_nmc_equals_the_strategy(
    project: Project, arrays: dict[str, Any]
) -> None:
    assert_predictions(project.files("toy", "calibrated").predictions(), arrays["preds"])


def test_accuracies_equal_the_released_code(project: Project, arrays: dict[str, Any]) -> None:
    metrics = project.files("toy", "teen").metrics()
    sessions = range(9)
    assert [metrics[s, "A_all"] for s in sessions] == pytest.approx(arrays["acc_micro"], abs=1e-12)
    for ours, theirs in {
        "A_base": "seen_acc",
        "A_novel": "unseen_acc",
        "novel_to_base_rate": "new_to_base_rate",
        "base_to_novel_rate": "base_to_new_rate",
    }.items():
        values = [metrics[s, ours] for s in sessions[1:]]
        assert values == pytest.approx(arrays[theirs], abs=1e-12), ours


def test_nmc_accuracies_equal_the_released_code(project: Project, arrays: dict[str, Any]) -> None:
    metrics = project.files("toy", "nmc").metrics()
    for ours, theirs in {"A_base": "seen_acc_ncm", "A_novel": "unseen_acc_ncm"}.items():
        values = [metrics[session, ours] for session in range(1, 9)]
        assert values == pytest.approx(arrays[theirs], abs=1e-12), ours


def test_harmonic_means_equal_the_released_code_up_to_its_rounding(
    project: Project, arrays: dict[str, Any]
) -> None:
    metrics = project.files("toy", "teen").metrics()
    percent = [100 * metrics[session, "A_hm"] for session in range(1, 9)]
    assert percent == pytest.approx(arrays["hmean_official"], abs=2e-3)


# ------------------------------------------------------ what happens in a stream


def test_strategy_and_calibrator_agree_on_a_trained_backbone(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    calibrated = {"name": "nmc", "as": "calibrated", "calibrators": ["teen"]}
    scenario = project.ring_scenario("teen", FEW_SHOT)
    del scenario["strategy"]
    outcome = project.run({**scenario, "strategies": ["teen", calibrated]})
    first, second = outcome.results
    for ours, theirs in zip(first.evaluations, second.evaluations, strict=True):
        np.testing.assert_array_equal(ours.predictions.predicted, theirs.predictions.predicted)


@pytest.mark.parametrize("strategy", ["teen", {"name": "nmc", "calibrators": ["teen"]}])
def test_a_class_is_calibrated_once_and_base_classes_never(tmp_path: Path, strategy: Any) -> None:
    project = Project.create(tmp_path)
    outcome = project.run(project.ring_scenario(strategy, FEW_SHOT))
    drifts = [
        evaluation.values.get("prototypes/drift") for evaluation in outcome.results[0].evaluations
    ]
    assert drifts == [None, 0.0, 0.0, 0.0]


def test_weight_zero_gives_the_decisions_of_nmc(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    scenario = project.ring_scenario("teen", FEW_SHOT)
    del scenario["strategy"]
    strategies = [{"name": "teen", "calibration_weight": 0.0}, "nmc"]
    teen, nmc = project.run({**scenario, "strategies": strategies}).results
    for ours, theirs in zip(teen.evaluations, nmc.evaluations, strict=True):
        np.testing.assert_array_equal(ours.predictions.predicted, theirs.predictions.predicted)
