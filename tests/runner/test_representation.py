"""How far the representation has moved: asked for, measured on old test samples, and resumed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cilsim import Experience, Strategy, hookimpl
from cilsim.records import RunResult
from cilsim.registry import Register
from cilsim.report.comparison import compare
from cilsim.report.comparison_tables import comparison_table
from cilsim.report.entrants import Entrant
from cilsim.report.page_data import page_data
from cilsim.report.summary import summarise
from cilsim.report.tensorboard import evaluation_scalars
from cilsim.runner.interruption import StopRequest
from cilsim.runner.request import RunStart
from cilsim.testing import Project, write_ring

SIMILARITY = "representation_similarity"
ASKED = {"evaluate": {"representation": True}}
SHORT = {"epochs": 1, "batch_size": 16, "lr": 0.05, "schedule": "constant"}
THREE: dict[str, Any] = {"kind": "class_incremental", "sizes": [4, 3, 3]}
BRIEF: dict[str, Any] = {"base_training": SHORT, "training": SHORT}


def similarities(project: Project, name: str, strategy: str) -> dict[tuple[int, str], float]:
    metrics = project.files(name, strategy).metrics()
    return {key: value for key, value in metrics.items() if key[1].startswith(SIMILARITY)}


def names_after(experience: int) -> list[str]:
    parts = [f"{SIMILARITY}_by_experience/{earlier:02d}" for earlier in range(experience)]
    return [SIMILARITY, *parts] if parts else []


def hsic(x: np.ndarray, y: np.ndarray) -> float:
    """HSIC_1 by its definition, see the tests of the solver."""
    n, ones = len(x), np.ones(len(x))
    k, other = x @ x.T, y @ y.T
    np.fill_diagonal(k, 0.0)
    np.fill_diagonal(other, 0.0)
    means = (ones @ k @ ones) * (ones @ other @ ones) / ((n - 1) * (n - 2))
    whole = np.trace(k @ other) + means - 2 / (n - 2) * (ones @ k @ other @ ones)
    return float(whole) / (n * (n - 3))


def cka(x: np.ndarray, y: np.ndarray) -> float:
    return hsic(x, y) / math.sqrt(hsic(x, x) * hsic(y, y))


class Watches:
    """Passes all test samples through the backbone before and after each experience is learnt.

    Also reads the counter of the feature cache after each experience.
    """

    def __init__(self, samples: Tensor) -> None:
        self.samples = samples
        self.pairs: list[tuple[np.ndarray, np.ndarray]] = []
        self.images: list[int] = []
        self._cache: Any = None

    @hookimpl(wrapper=True)
    def cilsim_train_experience(self, strategy: Strategy) -> Any:
        self._cache, before = strategy.context._features, self._features(strategy)
        result = yield
        self.pairs.append((before, self._features(strategy)))
        return result

    @hookimpl
    def cilsim_on_checkpoint(self) -> None:
        self.images.append(self._cache.counter.images)

    @torch.no_grad()
    def _features(self, strategy: Strategy) -> np.ndarray:
        return strategy.context.backbone(self.samples).double().numpy()


@dataclass
class Runs:
    """Fine-tuning and a frozen network, with the values and without; the data, and what was seen.

    Attributes:
        watches: by name of the run folder and strategy.
    """

    project: Project
    scenario: dict[str, Any]
    labels: np.ndarray
    results: list[RunResult]
    watches: dict[tuple[str, str], Watches]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    project = Project.create(tmp_path_factory.mktemp("representation"))
    with np.load(project.folder / "ring.npz") as arrays:
        samples, labels = torch.from_numpy(arrays["x_test"]), arrays["y_test"]
    scenario = project.ring_scenario("nmc", THREE, **BRIEF, **ASKED)
    del scenario["strategy"]
    scenario["strategies"] = ["finetune", "nmc"]
    found = Runs(project, scenario, labels, [], {})
    for name, changes in (("asked", {}), ("not_asked", {"evaluate": {}})):

        def reporters(start: RunStart, name: str = name) -> list[Watches]:
            return [found.watches.setdefault((name, start.run.strategy), Watches(samples))]

        outcome = project.run({**scenario, **changes}, name, reporters=reporters)
        found.results += outcome.results
    return found


def test_values_are_those_of_the_definition_on_features_of_the_network_itself(runs: Runs) -> None:
    """At most 210 samples: one minibatch, so that their order is no matter."""
    first, second = runs.labels < 4, (runs.labels >= 4) & (runs.labels < 7)
    _, after_1, after_2 = runs.watches["asked", "finetune"].pairs
    expected = {
        (1, SIMILARITY): cka(*(features[first] for features in after_1)),
        (1, f"{SIMILARITY}_by_experience/00"): cka(*(features[first] for features in after_1)),
        (2, SIMILARITY): cka(*(features[first | second] for features in after_2)),
        (2, f"{SIMILARITY}_by_experience/00"): cka(*(features[first] for features in after_2)),
        (2, f"{SIMILARITY}_by_experience/01"): cka(*(features[second] for features in after_2)),
    }
    assert similarities(runs.project, "asked", "finetune") == pytest.approx(expected, abs=1e-5)
    assert all(value < 0.999 for value in expected.values())


def test_a_frozen_backbone_has_exactly_one(runs: Runs) -> None:
    expected = {(i, name): 1.0 for i in range(3) for name in names_after(i)}
    assert similarities(runs.project, "asked", "nmc") == expected


@pytest.mark.parametrize("strategy", ["nmc", "finetune"], ids=["frozen", "trained"])
def test_features_of_the_evaluation_suffice(runs: Runs, strategy: str) -> None:
    counts = [runs.watches[name, strategy].images for name in ("asked", "not_asked")]
    assert counts[0] == counts[1]
    assert counts[0][0] > 0


@pytest.mark.parametrize("strategy", ["finetune", "nmc"])
def test_asking_adds_lines_and_changes_no_other_byte(runs: Runs, strategy: str) -> None:
    asked, other = (runs.project.files(name, strategy) for name in ("asked", "not_asked"))
    found, without = asked.deterministic_bytes(), other.deterministic_bytes()
    lines = found.pop("metrics.jsonl").splitlines(keepends=True)
    kept = [line for line in lines if SIMILARITY.encode() not in line]
    assert b"".join(kept) == without.pop("metrics.jsonl")
    assert len(lines) - len(kept) == 5
    assert found == without
    weights = "checkpoints/experience-02/tensors.safetensors"
    assert (asked.folder / weights).read_bytes() == (other.folder / weights).read_bytes()
    assert "similar" not in (other.folder / "checkpoints/experience-02/state.json").read_text()


class StopAt:
    """Asks to stop after so many optimiser steps, and again after each experience."""

    def __init__(self, stop: StopRequest, steps: int = 7) -> None:
        self.stop, self.left = stop, steps

    @hookimpl
    def cilsim_training_loss(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.stop.ask()

    @hookimpl
    def cilsim_on_checkpoint(self) -> None:
        self.stop.ask()


def test_runs_that_were_stopped_again_and_again_have_the_same_bytes(runs: Runs) -> None:
    interruptions = runs.project.run_in_parts(runs.scenario, "parts", StopAt)
    assert 7 <= interruptions < 20
    for strategy in ("finetune", "nmc"):
        whole, parts = (runs.project.files(name, strategy) for name in ("asked", "parts"))
        assert parts.deterministic_bytes() == whole.deterministic_bytes()


def test_reports_comparison_and_tensorboard_show_it(runs: Runs) -> None:
    results = runs.results[:2]
    (chart,) = [
        one
        for one in page_data(results, summarise(results))["metrics"]
        if one["name"].startswith(SIMILARITY)
    ]
    assert chart == {"name": SIMILARITY, "title": "representation similarity", "percent": True}
    tags = evaluation_scalars(results[0].evaluations[1])
    assert tags[f"eval/{SIMILARITY}"] == tags[f"{SIMILARITY}_by_experience/00"]
    entrants = [Entrant(one.run.strategy, one.run.strategy, (one,)) for one in results]
    compared = comparison_table(compare(entrants, SIMILARITY))
    assert compared.title == f"{SIMILARITY}, in percent"
    assert [row[0] for row in compared.rows] == ["nmc", "finetune"]
    assert compared.rows[0][2] == "100.0"
    assert compared.strong is None  # a network that never moves is not the better one for that


DISCOVERY = {
    "kind": "continual_category_discovery",
    "old_classes": 4,
    "stages": 2,
    "new_samples": 50,
    "seen_samples": 10,
}


@pytest.mark.parametrize(
    ("strategy", "moves"),
    [
        ({"name": "happy", "hidden": 8, "bottleneck": 4}, True),
        ({"name": "kmeans_discovery"}, False),
    ],
    ids=["happy", "kmeans_discovery"],
)
def test_stages_of_discovery_are_measured_too(project: Project, strategy: Any, moves: bool) -> None:
    recipe = {**SHORT, "epochs": 1}
    scenario = project.ring_scenario(
        strategy, DISCOVERY, base_training=recipe, training=recipe, **ASKED
    )
    assert not project.run(scenario).failures
    found = similarities(project, "toy", strategy["name"])
    assert sorted(found) == sorted((i, name) for i in range(3) for name in names_after(i))
    assert all((value < 1.0) == moves for value in found.values())


def test_domains_are_measured_each_on_its_own_test_part(project: Project, tmp_path: Path) -> None:
    write_ring(tmp_path / "ring.npz", domains=True)
    scenario = project.ring_scenario("finetune", {"kind": "domain_incremental"}, **BRIEF, **ASKED)
    assert not project.run(scenario).failures
    found = similarities(project, "toy", "finetune")
    assert list(found) == [(i, name) for i in range(3) for name in names_after(i)]


def test_one_test_part_for_all_domains_is_measured_once(project: Project, tmp_path: Path) -> None:
    write_ring(tmp_path / "ring.npz", domains=True)
    stream = {"kind": "domain_incremental", "test": {"fixed": ["middle"]}}
    assert not project.run(project.ring_scenario("finetune", stream, **BRIEF, **ASKED)).failures
    assert list(similarities(project, "toy", "finetune")) == [(1, SIMILARITY)]


class ScoresSamples(Strategy):
    """Trains backbone and head as usual and is asked for scores of samples."""

    scores_images = True

    def scores(self, x: Tensor) -> Tensor:
        scores: Tensor = self.context.head(self.context.backbone(x))
        return scores


class HasItsOwn(ScoresSamples):
    """Leaves the backbone of the run alone."""

    def learn(self, experience: Experience) -> None:
        """Learn nothing."""


class Adds:
    """Registers both."""

    cilsim_api = 1

    @hookimpl
    def cilsim_register_strategies(self, register: Register) -> None:
        register("scores_samples", ScoresSamples)
        register("has_its_own", HasItsOwn)


def test_a_strategy_that_scores_samples_costs_one_more_pass_over_old_test_samples(
    project_with: Callable[..., Project],
) -> None:
    """Test parts have 120, 90 and 90 samples."""
    project = project_with(adds=Adds())
    scenario = project.ring_scenario("scores_samples", THREE, **BRIEF)
    watch = Watches(torch.zeros(1, 2))
    project.run({**scenario, **ASKED}, reporters=lambda start: [watch])
    assert watch.images == [0, 2 * 120, 2 * 120 + 90 + 210]
    found = similarities(project, "toy", "scores_samples")
    assert sorted(found) == sorted((i, name) for i in range(3) for name in names_after(i))
    assert max(found.values()) < 1.0


def test_nothing_is_said_of_a_strategy_that_may_use_another_network(
    project_with: Callable[..., Project],
) -> None:
    project = project_with(adds=Adds())
    project.run(project.ring_scenario("has_its_own", THREE, **BRIEF, **ASKED))
    assert similarities(project, "toy", "has_its_own") == {}


def test_a_network_that_no_longer_tells_samples_apart_has_no_similarity(
    project_with: Callable[..., Project],
) -> None:
    class Collapses(Strategy):
        def after_backward(self) -> None:
            if self.context.experience_index:
                with torch.no_grad():
                    for weight in self.context.backbone.parameters():
                        weight.zero_()

    class Adding:
        cilsim_api = 1

        @hookimpl
        def cilsim_register_strategies(self, register: Register) -> None:
            register("collapses", Collapses)

    project = project_with(adds=Adding())
    recipe = {**SHORT, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
    scenario = project.ring_scenario(
        "collapses", THREE, base_training=SHORT, training={**recipe, "lr": 1e-30}, **ASKED
    )
    assert not project.run(scenario).failures
    assert similarities(project, "toy", "collapses") == {}


def test_a_metric_of_a_plugin_cannot_take_the_name(project_with: Callable[..., Project]) -> None:
    class Taking:
        cilsim_api = 1

        @hookimpl
        def cilsim_register_metrics(self, register: Register) -> None:
            register(SIMILARITY, lambda history, stream: 0.5)

    project = project_with(taking=Taking())
    (failure,) = project.run(project.ring_scenario("nmc", THREE, **BRIEF, **ASKED)).failures
    assert failure.message == (
        f"plugin 'taking' of this process: metric '{SIMILARITY}', experience 1: the name is that "
        "of a metric of cilsim; register another one"
    )
