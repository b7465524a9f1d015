from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.testing import Project, StrategyContract, write_patterns
from cilsim.testing.spies import StopAfterEpoch

ADAM = {
    "epochs": 10,
    "batch_size": 16,
    "optimizer": "adam",
    "lr": 0.003,
    "weight_decay": 2e-4,
    "schedule": "constant",
}


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


class TestPassOnImages(StrategyContract):
    strategy = "pass"
    recipe = ADAM
    changes = {
        "backbone": {"name": "small", "widths": [8, 16, 32]},
        "base_training": ADAM,
        "training": ADAM,
    }

    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        project = Project.create(tmp_path)
        write_patterns(tmp_path / "ring.npz")
        return project

    def stream(self) -> dict[str, Any]:
        return {"kind": "class_incremental", "sizes": [6, 2, 2]}

    def test_keeps_four_rows_of_the_head_per_class(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [
            {"prototypes": 4 * classes * 32, "rotation_head": 4 * 4 * classes * 33}
            for classes in (6, 8, 10)
        ]

    def test_stopped_in_every_epoch_equals_uninterrupted(self, project: Project) -> None:
        """Head or code vectors, draws and momenta go on where they were inside a training."""
        recipe = {**ADAM, "epochs": 3}
        scenario = self.scenario(project, base_training=recipe, training=recipe)
        assert not project.run(scenario, "whole").failures
        interruptions = project.run_in_parts(scenario, "parts", StopAfterEpoch)
        assert interruptions >= 6
        whole, parts = (project.files(name, "pass") for name in ("whole", "parts"))
        assert parts.deterministic_bytes() == whole.deterministic_bytes()

    def test_an_equal_base_is_trained_once(
        self, project: Project, caplog: pytest.LogCaptureFixture
    ) -> None:
        choice = self.scenario(project)["strategy"]
        strategies = [choice, {**choice, "as": "again"}]
        scenario = self.scenario(project, strategies=strategies)
        del scenario["strategy"]
        with caplog.at_level("INFO", "cilsim.strategy.base_training"):
            assert not project.run(scenario).failures
        messages = [record.getMessage().partition(" (")[0] for record in caplog.records]
        assert messages == [
            "base training: stored for reuse",
            "base training: reused from toy/pass/seed-0",
        ]
        first, again = (project.files("toy", label) for label in ("pass", "again"))
        assert first.deterministic_bytes() == again.deterministic_bytes()

    def test_remembers_what_fine_tuning_forgets(self, project: Project) -> None:
        matrix = self.run(project).accuracy_matrix()
        outcome = project.run({**self.scenario(project), "strategy": "finetune"}, "lower")
        assert not outcome.failures
        lower = project.files("lower", "finetune").accuracy_matrix()
        assert lower[-1, 0] <= 0.1
        assert matrix[-1, 0] >= 0.5

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
        recipe = {**ADAM, "epochs": 4, "augmentation": {"crop_padding": 1, "flip": True}}
        scenario = self.scenario(project, base_training=recipe, training=recipe)
        assert not project.run(scenario, "usual").failures
        changed = {**scenario, "strategy": {"name": "pass", **option}}
        assert not project.run(changed, "changed").failures
        usual = project.files("usual", "pass").predictions()
        other = project.files("changed", "pass").predictions()
        assert any(
            not np.array_equal(one["predicted"], two["predicted"])
            for one, two in zip(usual, other, strict=True)
        )


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
