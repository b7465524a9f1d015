"""What every strategy must keep to; subclass it and say which strategy.

Each test is one promise that the engine, the reports or a user rely on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from cilsim.errors import Interrupted
from cilsim.hookspecs import hookimpl
from cilsim.records import ExperienceInfo
from cilsim.runner.interruption import StopRequest
from cilsim.testing.project import Project, RunFiles


class StrategyContract:
    """The contract of a strategy on streams with labels.

    Attributes:
        strategy: the name under which it is registered.
        options: options that a scenario would set for it.
        plugins: plugins that are not installed, as (name, module or object).
        forgets: whether it may forget old classes completely, as fine-tuning does.
        changes: changes to the scenario, such as a stream kind that it serves.
    """

    strategy: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    plugins: ClassVar[Sequence[tuple[str, Any]]] = ()
    forgets: ClassVar[bool] = False
    changes: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        """A project with the ring and the strategy's plugin."""
        return Project.create(tmp_path, self.plugins)

    def scenario(self, project: Project, **changes: Any) -> dict[str, Any]:
        """Return the ring scenario for the strategy."""
        choice = {"name": self.strategy, **self.options}
        return project.ring_scenario(choice, **{**self.changes, **changes})

    def run(self, project: Project, name: str = "toy", **changes: Any) -> RunFiles:
        """Run the ring and return the files of the run."""
        outcome = project.run(self.scenario(project, **changes), name)
        assert not outcome.failures
        return project.files(name, self.strategy)

    def test_learns_the_ring_above_chance(self, project: Project) -> None:
        """The newest classes are known; old ones too, unless the strategy is one that forgets."""
        matrix = self.run(project).accuracy_matrix()
        last = len(matrix) - 1
        assert matrix[last, last] > 0.5
        if not self.forgets:
            assert matrix[last, :last].mean() > 0.5

    def test_predicts_only_classes_seen_so_far(self, project: Project) -> None:
        """The number of scores grows with the classes seen."""
        files = self.run(project)
        for path in sorted((files.folder / "predictions").glob("*.npz")):
            stored = np.load(path, allow_pickle=False)
            assert stored["predicted"].max() <= stored["label"].max()
            assert stored["predicted"].min() >= 0

    def test_equal_seeds_give_equal_files(self, project: Project) -> None:
        """Two runs of one scenario leave the same bytes."""
        first = self.run(project, "first").deterministic_bytes()
        assert first == self.run(project, "second").deterministic_bytes()

    def test_resumed_after_each_experience_equals_uninterrupted(self, project: Project) -> None:
        """Stopping after every experience and going on changes nothing."""
        whole = self.run(project, "whole").deterministic_bytes()
        scenario = self.scenario(project)
        for _ in range(len(whole)):
            stop = StopRequest()
            try:
                project.run(
                    scenario, "parts", stop=stop, reporters=lambda start, s=stop: [_StopAfter(s)]
                )
            except Interrupted:
                continue
            break
        assert project.files("parts", self.strategy).deterministic_bytes() == whole

    def test_stores_no_more_than_it_declares(self, project: Project) -> None:
        """The tensors of `state_dict` are covered by what `kept` says, but for bookkeeping."""
        spy = _KeptSpy()
        outcome = project.run(self.scenario(project), reporters=lambda start: [spy])
        assert not outcome.failures
        assert spy.stored <= spy.declared + 4096

    def test_leaves_its_samples_as_they_are(self, project: Project) -> None:
        """Learning does not write into `experience.train`."""
        spy = _SampleSpy()
        outcome = project.run(self.scenario(project), reporters=lambda start: [spy])
        assert not outcome.failures
        assert spy.before == spy.after

    def test_one_class_per_experience(self, project: Project) -> None:
        """A stream of single classes runs."""
        stream = {**self.scenario(project)["stream"], "experiences": 10}
        assert len(self.run(project, stream=stream).accuracy_matrix()) == 10

    def test_uneven_experiences_and_a_last_batch_of_one(self, project: Project) -> None:
        """Sizes may differ, and so may the last batch."""
        stream = {**self.scenario(project)["stream"], "sizes": [5, 1, 3]}
        del stream["experiences"]
        recipe = {"epochs": 2, "batch_size": 59, "lr": 0.05}
        files = self.run(project, stream=stream, base_training=recipe, training=recipe)
        assert len(files.accuracy_matrix()) == 3

    @pytest.mark.parametrize("precision", ["float32", "bf16"])
    def test_metrics_are_finite_in_each_precision(self, project: Project, precision: str) -> None:
        """Lower precision gives numbers, not NaN."""
        recipe = {"epochs": 2, "batch_size": 32, "lr": 0.05, "precision": precision}
        files = self.run(project, base_training=recipe, training=recipe)
        assert all(np.isfinite(value) for value in files.metrics().values())


class _StopAfter:
    """Asks to stop after each checkpoint."""

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop

    @hookimpl
    def cilsim_on_checkpoint(self, experience: ExperienceInfo) -> None:
        self._stop.ask()


class _KeptSpy:
    """Measures what a strategy stores against what it declares."""

    stored = 0
    declared = 0

    @hookimpl(wrapper=True)
    def cilsim_train_experience(self, strategy: Any) -> Any:
        result = yield
        self.stored = max(self.stored, _tensor_bytes(strategy.state_dict()))
        self.declared = max(self.declared, sum(strategy.kept().values()))
        return result


class _SampleSpy:
    """Sums the samples before and after learning."""

    def __init__(self) -> None:
        self.before: list[float] = []
        self.after: list[float] = []

    @hookimpl(wrapper=True)
    def cilsim_train_experience(self, experience: Any) -> Any:
        part = experience.train if experience.train is not None else experience.unlabelled
        self.before.append(float(part.x.double().sum()))
        result = yield
        self.after.append(float(part.x.double().sum()))
        return result


def _tensor_bytes(state: Any) -> int:
    if isinstance(state, Mapping):
        return sum(_tensor_bytes(value) for value in state.values())
    if isinstance(state, list | tuple):
        return sum(_tensor_bytes(value) for value in state)
    return state.numel() * state.element_size() if hasattr(state, "numel") else 0
