from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fake_entry_point import FakeEntryPoint

from cilsim.plugins import Plugins, discover
from cilsim.runner.request import ScenarioOutcome
from cilsim.testing import Project


@pytest.fixture
def module() -> Callable[..., ModuleType]:
    """Return a maker of plugin modules from functions and values by name."""

    def make(name: str = "toy", cilsim_api: int | None = 1, **members: Any) -> ModuleType:
        made = ModuleType(name)
        vars(made).update(members)
        if cilsim_api is not None:
            made.cilsim_api = cilsim_api  # type: ignore[attr-defined]
        return made

    return make


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plugins]:
    """Return a discovery in which exactly the given entry points are installed."""

    def find(*points: FakeEntryPoint, extra: tuple[tuple[str, Any], ...] = ()) -> Plugins:
        monkeypatch.setattr("cilsim.plugins.entry_points", lambda group: list(points))
        return discover(extra)

    return find


@pytest.fixture
def entry_point() -> type[FakeEntryPoint]:
    """Return the class of fake entry points: name, what loading gives or raises, distribution."""
    return FakeEntryPoint


@dataclass
class Toy:
    """Runs two experiences of two ring classes each; plugins are given per run."""

    folder: Path
    runs: int = 0

    def scenario(self, project: Project, strategy: Any, **changes: Any) -> dict[str, Any]:
        """Return a scenario whose base training has two optimiser steps in one epoch."""
        whole = project.ring_scenario(strategy)
        recipe = {"epochs": 1, "batch_size": 60, "lr": 0.05}
        stream = {**whole["stream"], "sizes": [2, 2]}
        del stream["experiences"]
        small = {"stream": stream, "base_training": recipe, "training": recipe}
        return {**whole, **small, **changes}

    def __call__(
        self,
        *plugins: Any,
        strategy: Any = "nmc",
        reporters: Sequence[Any] = (),
        **changes: Any,
    ) -> ScenarioOutcome:
        """Run with plugins, which need no `cilsim_api`, and return the outcome."""
        for plugin in plugins:
            plugin.cilsim_api = 1
        self.runs += 1
        folder = self.folder / str(self.runs)
        folder.mkdir()
        named = [(f"plugin-{number}", plugin) for number, plugin in enumerate(plugins)]
        project = Project.create(folder, named)
        assert project.plugins.explain_broken() == ()
        scenario = self.scenario(project, strategy, **changes)
        return project.run(scenario, reporters=lambda start: reporters)


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """Return a callable that runs a small scenario with the plugins that it is given."""
    return Toy(tmp_path)
