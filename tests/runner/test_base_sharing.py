"""Identical base training is done once and reused, and reuse changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim import Strategy, TrainingLoss, hookimpl
from cilsim.records import RunInfo
from cilsim.registry import Register
from cilsim.testing import Project

Ring = Callable[..., dict[str, Any]]
STEPS_OF_A_BASE = 80  # ten epochs of eight batches


class CountsSteps:
    """Counts optimiser steps by strategy, seed and experience."""

    def __init__(self) -> None:
        self.steps: Counter[tuple[str, int, int]] = Counter()

    @hookimpl
    def cilsim_training_loss(self, run: RunInfo, batch: Any) -> None:
        self.steps[run.strategy, run.seed, batch.experience] += 1

    def of_base(self) -> dict[tuple[str, int], int]:
        return {
            (name, seed): n for (name, seed, experience), n in self.steps.items() if not experience
        }


def run(
    project: Project, scenario: dict[str, Any], name: str = "toy", **request: Any
) -> CountsSteps:
    counter = CountsSteps()
    outcome = project.run(scenario, name, reporters=lambda start: [counter], **request)
    assert not outcome.failures
    return counter


def test_a_base_is_trained_once_per_seed(project: Project, ring: Ring) -> None:
    scenario = ring(project, ["nmc", "finetune", "teen", "joint"], seeds=[0, 1])
    assert run(project, scenario).of_base() == {
        ("nmc", 0): STEPS_OF_A_BASE,
        ("nmc", 1): STEPS_OF_A_BASE,
    }


def test_the_log_says_which_base_is_reused(
    project: Project, ring: Ring, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="cilsim.strategy.base_training"):
        run(project, ring(project, ["nmc", "teen"]))
    lines = [record.getMessage().partition(" (")[0] for record in caplog.records]
    assert lines == [
        "base training: stored for reuse",
        "base training: reused from toy/nmc/seed-0",
    ]


@pytest.mark.parametrize("strategy", ["finetune", "nmc", "teen"])
def test_a_reused_base_gives_the_results_of_an_own_one(
    project: Project, ring: Ring, strategy: str
) -> None:
    run(project, ring(project, ["joint", strategy]), "shared")
    run(project, ring(project, [strategy]), "alone")
    shared, alone = (project.files(name, strategy) for name in ("shared", "alone"))
    assert shared.deterministic_bytes() == alone.deterministic_bytes()


def test_a_reused_base_reports_the_scalars_of_its_training(project: Project, ring: Ring) -> None:
    class Scalars:
        def __init__(self) -> None:
            self.of: dict[str, list[Any]] = {"nmc": [], "teen": []}

        @hookimpl
        def cilsim_on_scalars(self, run: RunInfo, scalars: Any) -> None:
            self.of[run.strategy].append((scalars.step, dict(scalars.values)))

    reporter = Scalars()
    project.run(ring(project, ["nmc", "teen"]), reporters=lambda start: [reporter])
    assert reporter.of["nmc"] == reporter.of["teen"]
    assert [step for step, _ in reporter.of["teen"]] == list(range(8, 81, 8))


class OwnLoss(Strategy):
    """Trains with a loss of its own."""

    def loss(self, batch: Any) -> TrainingLoss:
        loss = super().loss(batch)
        return TrainingLoss(2 * loss.total, loss.logits)


class TwoTrainings(Strategy):
    """Trains on the base once more after the base training."""

    def learn(self, experience: Any) -> None:
        super().learn(experience)
        if experience.index == 0:
            self.context.fit(experience.labelled)


class Adds:
    cilsim_api = 1

    @hookimpl
    def cilsim_register_strategies(self, register: Register) -> None:
        register("own_loss", OwnLoss)
        register("two_trainings", TwoTrainings)


def test_a_strategy_with_its_own_loss_trains_its_own_base(
    project_with: Callable[..., Project], ring: Ring
) -> None:
    project = project_with(adds=Adds())
    assert run(project, ring(project, ["nmc", "own_loss"])).of_base() == {
        ("nmc", 0): STEPS_OF_A_BASE,
        ("own_loss", 0): STEPS_OF_A_BASE,
    }


def test_what_is_trained_after_a_reused_base_draws_the_same_random_numbers(
    project_with: Callable[..., Project], ring: Ring
) -> None:
    project = project_with(adds=Adds())
    run(project, ring(project, ["nmc", "two_trainings"]), "shared")
    run(project, ring(project, ["two_trainings"]), "alone")
    shared, alone = (weights(project, name) for name in ("shared", "alone"))
    assert shared == alone


def weights(project: Project, name: str) -> bytes:
    last = project.files(name, "two_trainings").folder / "checkpoints" / "experience-04"
    return (last / "tensors.safetensors").read_bytes()


# ------------------------------------------------------------- between commands


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.usefixtures("cache")
def test_a_later_command_reuses_the_base(project: Project, ring: Ring) -> None:
    assert run(project, ring(project, ["nmc"]), "first", cache=True).of_base() != {}
    assert run(project, ring(project, ["teen"]), "second", cache=True).of_base() == {}


def test_without_the_cache_nothing_is_left_on_disk(
    project: Project, ring: Ring, cache: Path
) -> None:
    run(project, ring(project, ["nmc"]), cache=False)
    assert not cache.exists()


RECIPE = {"epochs": 10, "batch_size": 16, "lr": 0.06, "schedule": "constant"}


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    "change",
    [
        {"base_training": RECIPE},
        {"backbone": {"name": "mlp", "hidden": [16, 32]}},
        {"head": {"kind": "cosine"}},
        {"class_order": {"seed": 3}},
        {"seeds": [1]},
    ],
    ids=["recipe", "backbone", "head", "classes", "seed"],
)
def test_another_base_is_not_reused(project: Project, ring: Ring, change: dict[str, Any]) -> None:
    run(project, ring(project, ["nmc"]), "first", cache=True)
    other = {**ring(project, ["nmc"]), **change}
    assert list(run(project, other, "second", cache=True).of_base().values()) == [STEPS_OF_A_BASE]


@pytest.mark.usefixtures("cache")
def test_a_plugin_that_changes_losses_has_bases_of_its_own(tmp_path: Path, ring: Ring) -> None:
    class Doubles:
        cilsim_api = 1

        @hookimpl(wrapper=True)
        def cilsim_training_loss(self) -> Any:
            loss = yield
            return TrainingLoss(2 * loss.total, loss.logits)

    plain = Project.create(tmp_path)
    run(plain, ring(plain, ["nmc"]), "plain", cache=True)
    doubled = Project.create(tmp_path, (("doubles", Doubles()),))
    counted = run(doubled, ring(doubled, ["nmc"]), "doubled", cache=True)
    assert counted.of_base() == {("nmc", 0): STEPS_OF_A_BASE}


@pytest.mark.usefixtures("cache")
def test_a_damaged_stored_base_is_trained_again(
    project: Project, ring: Ring, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(project, ring(project, ["nmc"]), "first", cache=True)
    (tensors,) = (cache / "store" / "base").rglob("tensors.safetensors")
    tensors.write_bytes(tensors.read_bytes()[:-1])
    assert run(project, ring(project, ["nmc"]), "second", cache=True).of_base() != {}
    assert str(tensors) in caplog.text
    first, second = (project.files(name, "nmc") for name in ("first", "second"))
    assert first.deterministic_bytes() == second.deterministic_bytes()
