"""What the tests of strategies that train on small images share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

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


class PatternContract(StrategyContract):
    """The contract on images of ten patterns, six of them in the base, and more.

    Attributes:
        remembered: accuracy on the base in the end, of which fine-tuning keeps nothing.
    """

    recipe = ADAM
    changes = {
        "backbone": {"name": "small", "widths": [8, 16, 32]},
        "base_training": ADAM,
        "training": ADAM,
    }
    remembered: ClassVar[float] = 0.5

    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        project = Project.create(tmp_path)
        write_patterns(tmp_path / "ring.npz")
        return project

    def stream(self) -> dict[str, Any]:
        return {"kind": "class_incremental", "sizes": [6, 2, 2]}

    def test_remembers_what_fine_tuning_forgets(self, project: Project) -> None:
        matrix = self.run(project).accuracy_matrix()
        outcome = project.run({**self.scenario(project), "strategy": "finetune"}, "lower")
        assert not outcome.failures
        lower = project.files("lower", "finetune").accuracy_matrix()
        assert lower[-1, 0] <= 0.1
        assert matrix[-1, 0] >= self.remembered

    def test_stopped_in_every_epoch_equals_uninterrupted(self, project: Project) -> None:
        """Whatever is trained, draws and momenta go on where they were inside a training."""
        recipe = {**ADAM, "epochs": 3}
        scenario = self.scenario(project, base_training=recipe, training=recipe)
        assert not project.run(scenario, "whole").failures
        interruptions = project.run_in_parts(scenario, "parts", StopAfterEpoch)
        assert interruptions >= 6
        whole, parts = (project.files(name, self.strategy) for name in ("whole", "parts"))
        assert parts.deterministic_bytes() == whole.deterministic_bytes()

    def changes_predictions(self, project: Project, option: dict[str, Any]) -> bool:
        """Return whether predictions after a short training differ with an option."""
        recipe = {**ADAM, "epochs": 4, "augmentation": {"crop_padding": 1, "flip": True}}
        scenario = self.scenario(project, base_training=recipe, training=recipe)
        changed = {**scenario, "strategy": {**scenario["strategy"], **option}}
        assert not project.run(scenario, "usual").failures
        assert not project.run(changed, "changed").failures
        usual, other = (
            project.files(name, self.strategy).predictions() for name in ("usual", "changed")
        )
        return any(
            not np.array_equal(one["predicted"], two["predicted"])
            for one, two in zip(usual, other, strict=True)
        )


class OwnModulesContract(PatternContract):
    """The same for strategies that train modules beside backbone and head."""

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
            f"base training: reused from toy/{self.strategy}/seed-0",
        ]
        first, again = (project.files("toy", label) for label in (self.strategy, "again"))
        assert first.deterministic_bytes() == again.deterministic_bytes()
