"""A distribution that nobody installed, and commands in which its plugin misbehaves run by run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_entry_point import FakeEntryPoint
from torch import Tensor

from cilsim import Strategy
from cilsim.errors import DataError
from cilsim.runner.request import ScenarioOutcome
from cilsim.testing import Project

SERVES = ("class_incremental", "novel_class_discovery")
WHO = "plugin 'strange' of cilsim-strange 2.5: "
MLP = {"name": "mlp", "hidden": [8]}
RECIPE = {"epochs": 1, "batch_size": 60, "lr": 0.05, "schedule": "constant"}
DATASET = {"name": "arrays", "path": "ring.npz"}
INCREMENTAL = {"kind": "class_incremental", "dataset": DATASET, "sizes": [2, 2]}
DISCOVERY = {
    "kind": "novel_class_discovery",
    "dataset": DATASET,
    "labelled_classes": 2,
    "novel_classes": 2,
}


class Diligent(Strategy):
    """Uses every service: trains in each experience, keeps prototypes, predicts by them."""

    def learn(self, experience: Any) -> None:
        if experience.train is not None:
            self.context.fit(experience.labelled, recipe=self.context.experience_recipe)
        self.context.novel_classes(experience)
        self.prototypes = torch.eye(self.context.seen_classes, 8)

    def scores(self, x: Tensor) -> Tensor:
        return x @ self.prototypes.T


class Stranger(BaseException):
    """An error of no usual kind."""


def recurse() -> None:
    """Call itself until Python gives up."""
    recurse()


def raising(error: BaseException) -> Callable[..., Any]:
    def misdeed(*_: Any, **__: Any) -> Any:
        raise error

    return misdeed


RAISING: Mapping[str, tuple[Callable[..., Any], str]] = {
    "key": (lambda *_: {}["mean"], "KeyError: 'mean'"),
    "runtime": (raising(RuntimeError("first\n  second")), "RuntimeError: first second"),
    "recursion": (lambda *_: recurse(), "RecursionError: maximum recursion depth exceeded"),
    "assertion": (raising(AssertionError()), "AssertionError"),
    "stop-iteration": (raising(StopIteration()), "StopIteration"),
    "generator-exit": (raising(GeneratorExit()), "GeneratorExit"),
    "exit": (lambda *_: sys.exit(3), "it called sys.exit(3)"),
    "memory": (raising(MemoryError("1 TB")), "MemoryError: 1 TB"),
    "stranger": (raising(Stranger("hello")), "Stranger: hello"),
    "ours": (raising(DataError("no file\n of means")), "no file of means"),
}
"""What code can raise, and how the line about it ends."""


@contextmanager
def installed(plugin: Any) -> Iterator[None]:
    """Add `plugin` to what is installed, as 'strange' of cilsim-strange 2.5."""
    plugin.cilsim_api = 1
    point = FakeEntryPoint("strange", plugin, ("cilsim-strange", "2.5"))
    real = list(entry_points(group="cilsim"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cilsim.plugins.entry_points", lambda group: [*real, point])
        yield


@dataclass(frozen=True)
class Command:
    """What one command gave, by the label of its runs."""

    project: Project
    outcome: ScenarioOutcome

    @property
    def messages(self) -> dict[str, str]:
        return {failure.strategy: failure.message for failure in self.outcome.failures}

    @property
    def finished(self) -> set[str]:
        return {result.run.strategy for result in self.outcome.results}


def run_command(
    folder: Path,
    plugin: Any,
    strategies: Sequence[Any],
    stream: Mapping[str, Any] = INCREMENTAL,
    backbone: Any = MLP,
) -> Command:
    """Run strategies, all in one command, with `plugin` installed."""
    with installed(plugin):
        project = Project.create(folder)
    assert project.plugins.explain_broken() == ()
    scenario = project.ring_scenario("nmc", backbone=backbone, stream=stream)
    del scenario["strategy"]
    recipes = {"base_training": RECIPE, "training": RECIPE}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)  # no test here pulls the plug
        return Command(project, project.run({**scenario, **recipes, "strategies": [*strategies]}))
