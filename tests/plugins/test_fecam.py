from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.errors import ScenarioError
from cilsim.testing import Project, StrategyContract

IDENTITY = {"backbone": "identity"}


class TestFecam(StrategyContract):
    """The default preset, on a backbone that ends in ReLU and has dead features."""

    strategy = "fecam"

    def test_official_shrinkage_warns_about_dead_features(
        self, project: Project, caplog: pytest.LogCaptureFixture
    ) -> None:
        project.run(project.ring_scenario({"name": "fecam", "preset": "official"}))
        metrics = project.files("toy", "fecam").metrics()
        assert metrics[4, "fecam/indefinite_matrices"] == 1.0
        assert (
            "fecam: experience 4: 1 of 2 matrices have negative eigenvalues, so their distances "
            "mean little; use shrink_off_diagonal: 0"
        ) in caplog.messages


class TestFecamVitOnTheRingItself(StrategyContract):
    strategy = "fecam"
    options = {"preset": "vit"}
    changes = IDENTITY

    def test_forgets_nothing(self, project: Project) -> None:
        """Ten directions of the plane, each with a covariance of its own."""
        assert self.run(project).accuracy_matrix()[-1].min() >= 0.95

    def test_keeps_a_vector_and_a_matrix_per_class(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [
            {"prototypes": classes * 2 * 4, "covariances": classes * 2 * 2 * 4}
            for classes in (2, 4, 6, 8, 10)
        ]


class TestFecamCommon(StrategyContract):
    strategy = "fecam"
    options = {"covariance": "common", "first_experience": "mahalanobis"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path)


def on_arrays(project: Project, arrays: dict[str, Any], **options: Any) -> dict[str, Any]:
    np.savez(
        project.folder / "features.npz",
        x_train=arrays["x_train"],
        y_train=arrays["y_train_raw"],
        x_test=arrays["x_test"],
        y_test=arrays["y_test_raw"],
    )
    return {
        "stream": {
            "dataset": {"name": "arrays", "path": "features.npz"},
            "kind": "class_incremental",
            "experiences": 5,
        },
        "class_order": {"list": arrays["class_order"].tolist()},
        "backbone": "identity",
        "strategy": {"name": "fecam", **options},
        "base_training": {"epochs": 1},
    }


@pytest.fixture(scope="module")
def nonneg(golden: Path) -> dict[str, Any]:
    return dict(np.load(golden / "fecam_official_common.npz", allow_pickle=False))


def test_a_run_predicts_what_the_official_code_predicts(
    project: Project, nonneg: dict[str, Any]
) -> None:
    """Variant `common` after tasks 1 to 4; task 0 is the head's, trained there by other code."""
    assert not project.run(
        on_arrays(project, nonneg, preset="official", covariance="common")
    ).failures
    predictions = project.files("toy", "fecam").predictions()
    for task in range(1, 5):
        stored = predictions[task]
        by_index = dict(zip(stored["index"].tolist(), stored["predicted"].tolist(), strict=True))
        rows = nonneg[f"t{task}_test_index"].tolist()
        assert [by_index[row] for row in rows] == nonneg[f"t{task}_pred_top3"][:, 0].tolist()


def test_the_head_serves_until_experience_1(project: Project, nonneg: dict[str, Any]) -> None:
    """One epoch makes a poor head; the second experience shows that the rest was learnt."""
    files = []
    for first in ("head", "mahalanobis"):
        scenario = on_arrays(project, nonneg, first_experience=first)
        assert not project.run(scenario, first).failures
        files.append(project.files(first, "fecam").predictions())
    head, mahalanobis = files
    assert (head[0]["predicted"] != mahalanobis[0]["predicted"]).any()
    assert (head[1]["predicted"] == mahalanobis[1]["predicted"]).all()


def test_negative_features_are_refused_by_tukeys_transform(project: Project) -> None:
    outcome = project.run(project.ring_scenario("fecam", backbone="identity"))
    assert [failure.message for failure in outcome.failures] == [
        "strategy 'fecam': features go down to -0.633, but tukey_power 0.5 needs features that are "
        "never negative; use preset: vit or tukey_power: 1"
    ]


def test_a_class_of_one_shot_is_refused(project: Project) -> None:
    stream = {"kind": "few_shot_class_incremental", "base_classes": 8, "way": 1, "shot": 1}
    scenario = project.ring_scenario("fecam", stream)
    assert [failure.message for failure in project.run(scenario).failures] == [
        "strategy 'fecam': experience 1: class 8 has 1 sample; a covariance of its own needs at "
        "least 2; use covariance: common or more samples per class"
    ]


def test_one_sample_has_no_common_covariance_either(project: Project) -> None:
    x, y = np.eye(3, dtype=np.float32)[:2], np.arange(2)
    np.savez(project.folder / "two.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    stream = {
        "kind": "class_incremental",
        "increment": 1,
        "dataset": {"name": "arrays", "path": "two.npz"},
    }
    scenario = project.ring_scenario(
        {"name": "fecam", "covariance": "common"}, stream, backbone="identity"
    )
    assert [failure.message for failure in project.run(scenario).failures] == [
        "strategy 'fecam': experience 0: 1 sample; a covariance needs at least 2"
    ]


def test_an_unknown_preset_is_refused(project: Project) -> None:
    with pytest.raises(ScenarioError) as caught:
        project.run(project.ring_scenario({"name": "fecam", "preset": "vitt"}))
    assert [problem.message for problem in caught.value.problems] == [
        "expected one of 'safe', 'official', 'vit', 'pilot', found 'vitt'; did you mean 'vit'?"
    ]


def test_a_power_out_of_range_is_refused_whatever_the_preset(project: Project) -> None:
    with pytest.raises(ScenarioError) as caught:
        project.run(project.ring_scenario({"name": "fecam", "preset": "vit", "tukey_power": 2.0}))
    assert [problem.message for problem in caught.value.problems] == [
        "must be at most 1, found 2.0"
    ]
