from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cilsim import Calibrator, hookimpl
from cilsim.registry import Register
from cilsim.testing import Project

Ring = Callable[..., dict[str, Any]]


class AddOne(Calibrator):
    """Adds 1 to new rows."""

    def calibrate(self, prototypes: Any, experience: Any) -> None:
        rows = prototypes.vectors[list(experience.new_labels)]
        prototypes.update(experience.new_labels, rows + 1.0, by=self.name)


class Double(Calibrator):
    """Doubles new rows."""

    def calibrate(self, prototypes: Any, experience: Any) -> None:
        rows = prototypes.vectors[list(experience.new_labels)]
        prototypes.update(experience.new_labels, rows * 2.0, by=self.name)


class Turn(Calibrator):
    """Turns scores around."""

    def adjust_scores(self, features: Tensor, scores: Tensor) -> Tensor:
        return -scores


class Last(Calibrator):
    """Lets the last class win."""

    def adjust_scores(self, features: Tensor, scores: Tensor) -> Tensor:
        changed = scores.clone()
        changed[:, -1] = scores.abs().max() + 1.0
        return changed


class Plugin:
    cilsim_api = 1

    def __init__(self) -> None:
        self.rows: dict[str, Tensor] = {}

    @hookimpl
    def cilsim_register_calibrators(self, register: Register) -> None:
        for name, calibrator in {
            "add": AddOne,
            "double": Double,
            "turn": Turn,
            "last": Last,
        }.items():
            register(name, calibrator)

    @hookimpl
    def cilsim_scores(self, run: Any, strategy: Any) -> None:
        self.rows[run.strategy] = strategy.prototypes


def run(
    project_with: Callable[..., Project], ring: Ring, **calibrators: list[str]
) -> tuple[Any, Any]:
    plugin = Plugin()
    project = project_with(plugin=plugin)
    strategies = [
        {"name": "nmc", "as": label, "calibrators": c} for label, c in calibrators.items()
    ]
    outcome = project.run(ring(project, strategies, backbone="identity"))
    assert not outcome.failures
    return plugin, outcome


def test_calibrators_change_prototypes_in_the_order_of_the_list(
    project_with: Callable[..., Project], ring: Ring
) -> None:
    chains = {"plain": [], "add_double": ["add", "double"], "double_add": ["double", "add"]}
    plugin, _ = run(project_with, ring, **chains)
    raw = plugin.rows["plain"]
    torch.testing.assert_close(plugin.rows["add_double"], 2 * (raw + 1))
    torch.testing.assert_close(plugin.rows["double_add"], 2 * raw + 1)


def test_calibrators_change_scores_in_the_order_of_the_list(
    project_with: Callable[..., Project], ring: Ring
) -> None:
    _, outcome = run(project_with, ring, turn_last=["turn", "last"], last_turn=["last", "turn"])
    turn_last, last_turn = (
        result.evaluations[-1].predictions.predicted for result in outcome.results
    )
    np.testing.assert_array_equal(turn_last, np.full(300, 9))
    assert 9 not in last_turn


def test_the_list_of_the_scenario_serves_strategies_without_their_own(
    project_with: Callable[..., Project], ring: Ring
) -> None:
    project = project_with(plugin=Plugin())
    strategies = ["nmc", {"name": "nmc", "as": "bare", "calibrators": []}]
    scenario = ring(project, strategies, backbone="identity", calibrators=["last"])
    outcome = project.run(scenario)
    assert [result.run.calibrators for result in outcome.results] == [("last",), ()]
    assert outcome.results[1].final["A_all"] > 0.98
