from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.testing import Project, StrategyContract, write_patterns

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
