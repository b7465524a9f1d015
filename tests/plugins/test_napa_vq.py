from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pattern_contract import OwnModulesContract

from cilsim.testing import Project, StrategyContract


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


class TestNapaVqOnImages(OwnModulesContract):
    strategy = "napa_vq"
    options = {"codebook_lr_base": 0.5}

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
        assert self.changes_predictions(project, option)


def test_features_cannot_be_rotated(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    outcome = project.run(project.ring_scenario("napa_vq"))
    assert [failure.message for failure in outcome.failures] == [
        "strategy 'napa_vq' rotates square images, the data set gives features of shape (2,); "
        "'rotations: 1' leaves the rotations out"
    ]
