from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import torch

from cilsim import Strategy, hookimpl
from cilsim.testing import DiscoveryContract, Project
from cilsim.testing.spies import StopAfterEpoch
from cilsim_frost.options import PRESETS, FrostOptions

# ten short epochs: the clusters have to be taught faster than in 300
QUICK = {"self_training_weight": 1.0, "replay_samples": 20}
# the distillation is a distance, not its square: it pulls as hard however near the features are
CALM = {"training": {"epochs": 10, "batch_size": 16, "lr": 0.01, "schedule": "constant"}}


class TestNovelClasses(DiscoveryContract):
    strategy = "frost"
    options = QUICK
    changes = CALM

    def test_resumed_inside_a_stage_equals_uninterrupted(self, project: Project) -> None:
        recipe = {**self.recipe, "epochs": 3, "batch_size": 64}
        short = self.scenario(project, base_training=recipe, training=recipe)
        assert not project.run(short, "whole").failures
        interruptions = project.run_in_parts(short, "parts", StopAfterEpoch, at_most=30)
        assert interruptions >= 6
        parts, whole = (project.files(name, "frost") for name in ("parts", "whole"))
        assert parts.deterministic_bytes() == whole.deterministic_bytes()

    def test_clusters_of_a_stage_are_outputs_after_all_known_classes(
        self, project: Project
    ) -> None:
        _, first, second = self.run(project).unlabelled_predictions()
        assert set(first["predicted"]) <= {4, 5, 6}
        assert set(second["predicted"]) <= {7, 8, 9}


class TestKeptLabels(DiscoveryContract):
    strategy = "frost"
    options = QUICK
    changes = CALM

    def stream(self) -> dict[str, Any]:
        return {**super().stream(), "keep_labelled": True}


class TestContinualDiscovery(DiscoveryContract):
    strategy = "frost"
    options = QUICK
    changes = CALM
    kind = "continual_category_discovery"


class TestMixed(DiscoveryContract):
    strategy = "frost"
    options = QUICK
    changes = CALM
    kind = "mixed"


class OneStage:
    """A base of two epochs and one stage of two, with given options."""

    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        return Project.create(tmp_path)

    def scenario(self, project: Project, **options: Any) -> dict[str, Any]:
        recipe = {"epochs": 2, "batch_size": 64, "lr": 0.05}
        return project.ring_scenario(
            {"name": "frost", **options},
            {"kind": "novel_class_discovery", "labelled_classes": 6},
            base_training=recipe,
            training=recipe,
        )


class WeightSpy:
    """Copies the backbone's weights after each experience."""

    def __init__(self) -> None:
        self.layers: list[dict[str, torch.Tensor]] = []

    @hookimpl(wrapper=True)
    def cilsim_train_experience(self, strategy: Strategy) -> Generator[None, Any, Any]:
        result = yield
        named = strategy.context.backbone.named_parameters()
        self.layers.append({name: value.detach().clone() for name, value in named})
        return result


class TestFrozenParts(OneStage):
    def test_stages_leave_them_as_the_base_made_them(self, project: Project) -> None:
        spy = WeightSpy()
        scenario = self.scenario(project, frozen_prefixes=["layers.0"])
        assert not project.run(scenario, reporters=lambda start: [spy]).failures
        base, stage = spy.layers
        changed = {name for name in base if not torch.equal(base[name], stage[name])}
        assert changed == {"layers.1.weight", "layers.1.bias"}

    def test_a_part_that_is_not_there_is_an_error(self, project: Project) -> None:
        outcome = project.run(self.scenario(project, frozen_prefixes=["layer"]))
        assert [failure.message for failure in outcome.failures] == [
            "strategy 'frost': frozen_prefixes: no parameter is in 'layer'; did you mean 'layers'?"
        ]


class TestPlainChoices(OneStage):
    def test_without_replay_and_distillation_it_runs(self, project: Project) -> None:
        scenario = self.scenario(project, replay_samples=0, distillation_weight=0)
        assert not project.run(scenario).failures

    def test_a_backbone_that_cannot_move_is_not_copied(self, project: Project) -> None:
        scenario = self.scenario(project)
        scenario["backbone"] = "identity"
        assert not project.run(scenario).failures


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_sets_the_defaults_of_the_other_options(name: str) -> None:
    chosen = FrostOptions.model_validate({"preset": name}).model_dump()
    assert {key: chosen[key] for key in PRESETS[name]} == PRESETS[name]
    changed = FrostOptions.model_validate({"preset": name, "consistency_weight": 7.0})
    assert changed.consistency_weight == 7.0
