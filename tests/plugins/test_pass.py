from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pattern_contract import OwnModulesContract

from cilsim.testing import Project, StrategyContract


class TestPassOnFeatures(StrategyContract):
    """On the plane itself nothing drifts, so prototypes with noise keep every class."""

    strategy = "pass"
    options = {"rotations": 1}
    changes = {"backbone": "identity"}

    def test_forgets_nothing(self, project: Project) -> None:
        assert self.run(project).accuracy_matrix()[-1].min() >= 0.9

    def test_keeps_a_mean_and_a_row_of_the_head_per_class(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [
            {"prototypes": 4 * classes * 2, "rotation_head": 4 * classes * 3}
            for classes in (2, 4, 6, 8, 10)
        ]


class TestPassOnImages(OwnModulesContract):
    strategy = "pass"

    def test_keeps_four_rows_of_the_head_per_class(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [
            {"prototypes": 4 * classes * 32, "rotation_head": 4 * 4 * classes * 33}
            for classes in (6, 8, 10)
        ]

    def test_logs_the_radius_of_the_base_once(self, project: Project) -> None:
        metrics = self.run(project).metrics()
        logged = {key[0]: value for key, value in metrics.items() if key[1] == "pass/radius"}
        assert list(logged) == [0]
        assert logged[0] > 0.0

    @pytest.mark.parametrize(
        "option",
        [
            {"prototype_images": "plain"},
            {"radius": "deviation"},
            {"released_double_forward": True},
            {"temperature": 1.0},
        ],
        ids=lambda option: next(iter(option)),
    )
    def test_an_option_changes_the_predictions(
        self, project: Project, option: dict[str, Any]
    ) -> None:
        assert self.changes_predictions(project, option)


def test_features_cannot_be_rotated(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    outcome = project.run(project.ring_scenario("pass"))
    assert [failure.message for failure in outcome.failures] == [
        "strategy 'pass' rotates square images, the data set gives features of shape (2,); "
        "'rotations: 1' leaves the rotations out"
    ]


def test_an_epoch_cannot_be_selected_by_a_head_that_does_not_predict(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    scenario = project.ring_scenario(
        {"name": "pass", "rotations": 1}, evaluate={"selection": "best_test_epoch"}
    )
    outcome = project.run(scenario)
    assert [failure.message for failure in outcome.failures] == [
        "evaluate.selection: 'best_test_epoch' measures backbone and head, strategy 'pass' trains "
        "'rotation_head' beside them; use 'last_epoch'"
    ]
