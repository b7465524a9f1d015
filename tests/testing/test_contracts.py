"""The contract suites catch what they are there to catch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from toy_strategies import DrawsFromNowhere, ForgetsItsState, KeepsInSecret, Means

from cilsim import Experience, FeatureSet, Strategy, hookimpl
from cilsim.registry import Register
from cilsim.testing import DiscoveryContract, Project, StrategyContract


class Forgets(Means):
    """Knows the newest classes only."""

    def scores(self, x: Tensor) -> Tensor:
        scores = super().scores(x)
        scores[:, :-2] = -1e9
        return scores


class WritesIntoSamples(Means):
    """Normalises its samples in place."""

    def learn(self, experience: Experience) -> None:
        super().learn(experience)
        experience.labelled.x.mul_(0.5)


class Overflows(Means):
    """Loses its numbers in lower precision."""

    def learn(self, experience: Experience) -> None:
        super().learn(experience)
        if self.context.base_recipe.precision == "bf16":
            self.context.log("norm", float("nan"))


class Contract(StrategyContract):
    strategy = "means"
    changes = {"backbone": "identity"}


def contract_for(kind: type[Strategy], suite: type = Contract) -> Any:
    """Return the suite for a strategy, registered by a plugin of its own."""

    class Adds:
        cilsim_api = 1

        @hookimpl
        def cilsim_register_strategies(self, register: Register) -> None:
            serves = ("class_incremental", "novel_class_discovery")
            register("means", kind, serves=serves)

    return type("Suite", (suite,), {"plugins": (("adds", Adds()),)})()


@pytest.fixture
def project(tmp_path: Path) -> Any:
    def make(suite: Any) -> Project:
        return Project.create(tmp_path, suite.plugins)

    return make


PROMISES = [name for name in dir(Contract) if name.startswith("test_")]


@pytest.mark.parametrize("promise", PROMISES)
def test_a_proper_strategy_passes(project: Any, promise: str) -> None:
    suite = contract_for(Means)
    arguments = {"precision": "bf16"} if "precision" in promise else {}
    getattr(suite, promise)(project=project(suite), **arguments)


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        (Forgets, "test_learns_the_ring_above_chance"),
        (DrawsFromNowhere, "test_equal_seeds_give_equal_files"),
        (ForgetsItsState, "test_resumed_after_each_experience_equals_uninterrupted"),
        (KeepsInSecret, "test_stores_no_more_than_it_declares"),
        (WritesIntoSamples, "test_leaves_its_samples_as_they_are"),
        (Overflows, "test_metrics_are_finite_in_each_precision"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_broken_promise_is_found(project: Any, kind: type[Strategy], promise: str) -> None:
    suite = contract_for(kind)
    arguments = {"precision": "bf16"} if "precision" in promise else {}
    with pytest.raises(AssertionError):
        getattr(suite, promise)(project=project(suite), **arguments)


def test_a_strategy_that_may_forget_is_allowed_to(project: Any) -> None:
    suite = contract_for(Forgets, type("Lenient", (Contract,), {"forgets": True}))
    suite.test_learns_the_ring_above_chance(project(suite))


class Discovery(DiscoveryContract):
    strategy = "means"
    changes = {"backbone": "identity"}


class PutsAllInOne(Means):
    """Finds a single cluster in every stage."""

    def learn(self, experience: Experience) -> None:
        if experience.train is not None:
            super().learn(experience)

    def assign(self, feature_set: FeatureSet) -> Tensor:
        return torch.zeros(len(feature_set.features), dtype=torch.int64)


def test_a_discovery_that_finds_nothing_is_found(project: Any) -> None:
    suite = contract_for(PutsAllInOne, Discovery)
    with pytest.raises(AssertionError):
        suite.test_finds_the_classes_of_the_ring(project(suite))
