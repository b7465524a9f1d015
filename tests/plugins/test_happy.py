from __future__ import annotations

from typing import Any

import pytest

from cilsim.testing import DiscoveryContract, Project
from cilsim.testing.spies import StopAfterEpoch

SMALL = {"hidden": 16, "bottleneck": 8}
RECIPE = {"epochs": 10, "batch_size": 16, "lr": 0.01, "schedule": "constant"}


class HappyContract(DiscoveryContract):
    strategy = "happy"
    options = SMALL
    changes = {"training": RECIPE}
    recipe = {"lr": 0.01}
    kind = "continual_category_discovery"


class TestContinualDiscovery(HappyContract):
    def test_keeps_a_prototype_and_a_row_per_class(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [
            {"prototypes": 4 * classes * 32, "classifier": 4 * classes * 32}
            for classes in (4, 7, 10)
        ]

    @pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "kept"])
    def test_stopped_in_every_epoch_equals_uninterrupted(
        self, project: Project, fresh: bool
    ) -> None:
        recipe = {**RECIPE, "epochs": 2, "batch_size": 64}
        scenario = self.scenario(project, base_training=recipe, training=recipe)
        # one training per experience: a base that is not stored would begin again every time
        scenario["strategy"] |= {"fresh_projection": fresh, "start": "as_given"}
        assert not project.run(scenario, "whole").failures
        interruptions = project.run_in_parts(scenario, "parts", StopAfterEpoch)
        assert interruptions >= 4
        whole, parts = (project.files(name, "happy") for name in ("whole", "parts"))
        assert parts.deterministic_bytes() == whole.deterministic_bytes()

    def test_a_projection_that_goes_on_is_declared(self, project: Project) -> None:
        scenario = self.scenario(project)
        scenario["strategy"]["fresh_projection"] = False
        outcome = project.run(scenario)
        sizes = 16 * 33 + 16 * 17 + 8 * 17
        assert outcome.results[0].evaluations[-1].kept["projection"] == 4 * sizes

    @pytest.mark.parametrize(
        "options",
        [
            {"first_stage_loss": "paper", "distillation": "cosine", "prototype_samples": 8},
            {"initialisation": "random", "distillation_weight": 0.0},
        ],
        ids=["paper", "without"],
    )
    def test_alternatives_run(self, project: Project, options: dict[str, Any]) -> None:
        scenario = self.scenario(project)
        scenario["strategy"].update(options)
        assert not project.run(scenario).failures
        assert project.files("toy", "happy").metrics()[2, "A_all"] > 0.3


@pytest.mark.slow
class TestNovelClasses(HappyContract):
    kind = "novel_class_discovery"


@pytest.mark.slow
class TestKeptLabels(HappyContract):
    kind = "novel_class_discovery"

    def stream(self) -> dict[str, Any]:
        return {**super().stream(), "keep_labelled": True}


class TestMixedStages(HappyContract):
    kind = "mixed"


class TestGeneralisedDiscovery(HappyContract):
    kind = "generalized_category_discovery"


def test_without_entropies_and_clusters_no_novel_class_is_predicted(tmp_path: Any) -> None:
    project = Project.create(tmp_path)
    scenario = TestContinualDiscovery().scenario(project)
    groups = ("between", "seen", "new")
    nothing = {f"entropy_{group}_weight": 0.0 for group in groups} | {"initialisation": "random"}
    without = {**scenario["strategy"], **nothing}
    assert not project.run(scenario, "whole").failures
    assert not project.run({**scenario, "strategy": without}, "without").failures
    whole, reduced = (project.files(name, "happy").metrics() for name in ("whole", "without"))
    assert whole[2, "A_novel"] > 0.5
    assert reduced[2, "A_novel"] < 0.1


def test_ready_features_move_the_classifier_alone(tmp_path: Any) -> None:
    project = Project.create(tmp_path)
    scenario = TestContinualDiscovery().scenario(project, backbone="identity")
    assert not project.run(scenario).failures
    metrics = project.files("toy", "happy").metrics()
    assert metrics[2, "A_base"] > 0.5
    assert metrics[2, "A_novel"] > 0.5
