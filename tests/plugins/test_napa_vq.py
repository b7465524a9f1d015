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


class TestNapaVqOnFeatures(StrategyContract):
    """On the plane itself nothing drifts, so code vectors keep every class."""

    strategy = "napa_vq"
    # two code vectors share a batch: the released rate of 5 is for two hundred
    options = {"rotations": 1, "codebook_lr_base": 0.5}
    changes = {"backbone": "identity"}

    def test_forgets_nothing(self, project: Project) -> None:
        assert self.run(project).accuracy_matrix()[-1].min() >= 0.9

    def test_keeps_means_code_vectors_and_the_graph(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [
            {"prototypes": 2 * 4 * classes * 2, "codebook": 4 * classes * (2 + classes)}
            for classes in (2, 4, 6, 8, 10)
        ]


class TestNapaVqOnImages(StrategyContract):
    strategy = "napa_vq"
    options = {"codebook_lr_base": 0.5}
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

    def test_keeps_four_code_vectors_per_class(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [
            {
                "prototypes": 4 * (classes + 4 * classes) * 32,
                "codebook": 4 * 4 * classes * (32 + 4 * classes),
            }
            for classes in (6, 8, 10)
        ]

    def test_stopped_in_every_epoch_equals_uninterrupted(self, project: Project) -> None:
        """Head or code vectors, draws and momenta go on where they were inside a training."""
        recipe = {**ADAM, "epochs": 3}
        scenario = self.scenario(project, base_training=recipe, training=recipe)
        assert not project.run(scenario, "whole").failures
        interruptions = project.run_in_parts(scenario, "parts", StopAfterEpoch)
        assert interruptions >= 6
        whole, parts = (project.files(name, "napa_vq") for name in ("whole", "parts"))
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
            "base training: reused from toy/napa_vq/seed-0",
        ]
        first, again = (project.files("toy", label) for label in ("napa_vq", "again"))
        assert first.deterministic_bytes() == again.deterministic_bytes()

    def test_remembers_what_fine_tuning_forgets(self, project: Project) -> None:
        matrix = self.run(project).accuracy_matrix()
        outcome = project.run({**self.scenario(project), "strategy": "finetune"}, "lower")
        assert not outcome.failures
        lower = project.files("lower", "finetune").accuracy_matrix()
        assert lower[-1, 0] <= 0.1
        assert matrix[-1, 0] >= 0.5

    @pytest.mark.parametrize(
        "option",
        [
            {"neighbour_choice": "without_self"},
            {"neighbour_choice": "numpy_1_23"},
            {"prototype_images": "plain"},
            {"neighbours": 2},
            {"codebook_decay_epochs": 1},
        ],
        ids=lambda option: "-".join(map(str, next(iter(option.items())))),
    )
    def test_an_option_changes_the_predictions(
        self, project: Project, option: dict[str, Any]
    ) -> None:
        recipe = {**ADAM, "epochs": 4, "augmentation": {"crop_padding": 1, "flip": True}}
        scenario = self.scenario(project, base_training=recipe, training=recipe)
        assert not project.run(scenario, "usual").failures
        changed = {**scenario, "strategy": {**scenario["strategy"], **option}}
        assert not project.run(changed, "changed").failures
        usual = project.files("usual", "napa_vq").predictions()
        other = project.files("changed", "napa_vq").predictions()
        assert any(
            not np.array_equal(one["predicted"], two["predicted"])
            for one, two in zip(usual, other, strict=True)
        )


def test_features_cannot_be_rotated(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    outcome = project.run(project.ring_scenario("napa_vq"))
    assert [failure.message for failure in outcome.failures] == [
        "strategy 'napa_vq' rotates square images, the data set gives features of shape (2,); "
        "'rotations: 1' leaves the rotations out"
    ]
