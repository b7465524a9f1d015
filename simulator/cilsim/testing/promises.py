"""What every strategy must keep to, whatever its streams look like.

Each test is one promise that the engine, the reports or a user rely on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from cilsim.testing.project import Project, RunFiles
from cilsim.testing.spies import KeptSpy, SampleSpy, StopAfterCheckpoint


class StrategyPromises:
    """The promises that do not depend on the kind of stream; see `StrategyContract`.

    Attributes:
        strategy: the name under which it is registered.
        options: options that a scenario would set for it.
        plugins: plugins that are not installed, as (name, module or object).
        changes: changes to the scenario, such as another backbone.
        recipe: how short trainings are done, where SGD at 0.05 is too much for the strategy.
    """

    strategy: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    plugins: ClassVar[Sequence[tuple[str, Any]]] = ()
    changes: ClassVar[Mapping[str, Any]] = {}
    recipe: ClassVar[Mapping[str, Any]] = {"lr": 0.05}

    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        """A project with the ring and the strategy's plugin."""
        return Project.create(tmp_path, self.plugins)

    def stream(self) -> dict[str, Any]:
        """Return options of the stream on the ring: five experiences of two classes."""
        return {"kind": "class_incremental", "experiences": 5}

    def scenario(self, project: Project, **changes: Any) -> dict[str, Any]:
        """Return the ring scenario for the strategy."""
        choice = {"name": self.strategy, **self.options}
        sections = {"stream": self.stream(), **self.changes, **changes}
        return project.ring_scenario(choice, **sections)

    def run(self, project: Project, name: str = "toy", **changes: Any) -> RunFiles:
        """Run the ring and return the files of the run."""
        outcome = project.run(self.scenario(project, **changes), name)
        assert not outcome.failures
        return project.files(name, self.strategy)

    def test_equal_seeds_give_equal_files(self, project: Project) -> None:
        """Two runs of one scenario leave the same bytes."""
        first = self.run(project, "first").deterministic_bytes()
        assert first == self.run(project, "second").deterministic_bytes()

    def test_resumed_after_each_experience_equals_uninterrupted(self, project: Project) -> None:
        """Stopping after every experience and going on changes nothing."""
        whole = self.run(project, "whole")
        interruptions = project.run_in_parts(
            self.scenario(project), "parts", StopAfterCheckpoint, at_most=whole.experiences + 2
        )
        assert interruptions >= whole.experiences - 1
        parts = project.files("parts", self.strategy)
        assert parts.deterministic_bytes() == whole.deterministic_bytes()

    def test_stores_no_more_than_it_declares(self, project: Project) -> None:
        """The tensors of `state_dict` are covered by what `kept` says, but for bookkeeping."""
        spy = KeptSpy()
        outcome = project.run(self.scenario(project), reporters=lambda start: [spy])
        assert not outcome.failures
        assert spy.stored <= spy.declared + 4096

    def test_leaves_its_samples_as_they_are(self, project: Project) -> None:
        """Learning does not write into the samples that it is given."""
        spy = SampleSpy()
        outcome = project.run(self.scenario(project), reporters=lambda start: [spy])
        assert not outcome.failures
        assert spy.before == spy.after

    @pytest.mark.parametrize("precision", ["float32", "bf16"])
    def test_metrics_are_finite_in_each_precision(self, project: Project, precision: str) -> None:
        """Lower precision gives numbers, not NaN."""
        recipe = {**self.recipe, "epochs": 2, "batch_size": 32, "precision": precision}
        files = self.run(project, base_training=recipe, training=recipe)
        assert all(np.isfinite(value) for value in files.metrics().values())
