"""Evaluation: one pass, features extracted once, and nothing that changes the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from cilsim import Strategy, hookimpl
from cilsim.records import Predictions
from cilsim.registry import Register
from cilsim.runner.evaluation import Evaluator
from cilsim.testing import Project

Ring = Callable[..., dict[str, Any]]

SHORT = {"epochs": 1, "batch_size": 64, "lr": 0.05}


class CountsImages:
    """Reads the counter of the feature cache after every experience."""

    def __init__(self) -> None:
        self.images: list[int] = []
        self.caches: set[int] = set()

    @hookimpl(wrapper=True)
    def cilsim_scores(self, strategy: Strategy) -> Any:
        cache = strategy.context._features
        self.images.append(cache.counter.images)
        self.caches.add(id(cache))
        return (yield)


def test_each_image_is_forwarded_once_per_backbone_version(project: Project, ring: Ring) -> None:
    counter = CountsImages()
    scenario = ring(project, ["nmc", "teen", {"name": "nmc", "as": "again", "metric": "euclidean"}])
    project.run(scenario, reporters=lambda start: [counter])
    train, test = 600, 300
    assert counter.images[-1] == train + test
    assert len(counter.caches) == 1


@pytest.mark.parametrize(
    "strategy",
    ["nmc", "teen", "slda", "fecam", {"name": "ranpac", "random_features": 64}, "fetril"],
    ids=["nmc", "teen", "slda", "fecam", "ranpac", "fetril"],
)
def test_each_experience_forwards_its_own_images_only(project: Project, strategy: Any) -> None:
    counter = CountsImages()
    scenario = project.ring_scenario(strategy, base_training=SHORT, training=SHORT)
    outcome = project.run(scenario, reporters=lambda start: [counter])
    assert not outcome.failures
    assert counter.images == [180, 360, 540, 720, 900]


class CountsScored:
    """Counts the samples that are scored in each experience."""

    def __init__(self) -> None:
        self.samples: list[int] = []

    @hookimpl
    def cilsim_before_experience(self) -> None:
        self.samples.append(0)

    @hookimpl(wrapper=True)
    def cilsim_scores(self, features: torch.Tensor) -> Any:
        self.samples[-1] += len(features)
        return (yield)


@pytest.mark.parametrize("strategy", ["nmc", "finetune", "fetril", "slda"])
def test_all_classes_seen_are_predicted_in_one_pass(project: Project, strategy: str) -> None:
    counter = CountsScored()
    scenario = project.ring_scenario(strategy, base_training=SHORT, training=SHORT)
    outcome = project.run(scenario, reporters=lambda start: [counter])
    assert not outcome.failures
    assert counter.samples == [60, 120, 180, 240, 300]


def test_a_changed_backbone_forwards_all_test_images_again(project: Project) -> None:
    counter = CountsImages()
    project.run(project.ring_scenario("finetune"), reporters=lambda start: [counter])
    assert counter.images == [60, 60 + 120, 180 + 180, 360 + 240, 600 + 300]


def last_weights(project: Project, name: str, strategy: str) -> bytes:
    last = project.files(name, strategy).folder / "checkpoints" / "experience-04"
    return (last / "tensors.safetensors").read_bytes()


def test_evaluation_changes_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = project.ring_scenario("finetune")
    project.run(scenario, "evaluated")
    whole = Evaluator.predict

    def only_at_the_end(self: Evaluator, after: int) -> Predictions:
        if after == 4:
            return whole(self, after)
        parts = [self.materials.test(index) for index in range(after + 1)]
        label = torch.cat([part.labels for part in parts if part.labels is not None]).numpy()
        return Predictions(after, np.arange(len(label)), label, label)

    monkeypatch.setattr(Evaluator, "predict", only_at_the_end)
    project.run(scenario, "not_evaluated")
    weights = [last_weights(project, name, "finetune") for name in ("evaluated", "not_evaluated")]
    assert weights[0] == weights[1]
    evaluated, other = (project.files(name, "finetune") for name in ("evaluated", "not_evaluated"))
    last = [files.predictions()[-1]["predicted"] for files in (evaluated, other)]
    np.testing.assert_array_equal(*last)


def test_neither_training_nor_evaluation_touches_the_global_generators(project: Project) -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    project.run(project.ring_scenario("finetune"))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]


def test_the_size_of_evaluation_batches_changes_nothing(project: Project) -> None:
    scenario = project.ring_scenario("nmc")
    project.run(scenario, "large")
    project.run({**scenario, "evaluate": {"batch_size": 7}}, "small")
    large, small = (project.files(name, "nmc").deterministic_bytes() for name in ("large", "small"))
    assert large == small


class ScoresSamples(Strategy):
    """Scores samples rather than features: the distance to the class means in the plane."""

    scores_images = True

    def learn(self, experience: Any) -> None:
        means = self.context.class_means(experience)
        old = [] if self.prototypes is None else [self.prototypes]
        self.prototypes = torch.cat([*old, means])

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        assert self.prototypes is not None
        return -torch.cdist(x, self.prototypes)


def test_a_strategy_may_score_samples_instead_of_features(
    project_with: Callable[..., Project],
) -> None:
    class Adds:
        cilsim_api = 1

        @hookimpl
        def cilsim_register_strategies(self, register: Register) -> None:
            register("scores_samples", ScoresSamples)

    project = project_with(adds=Adds())
    project.run(project.ring_scenario("scores_samples", backbone="identity"))
    assert project.files("toy", "scores_samples").accuracy_matrix()[-1].min() > 0.98


def test_predictions_name_samples_labels_and_class_ids(project: Project) -> None:
    order = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    scenario = project.ring_scenario("nmc", class_order={"list": order}, backbone="identity")
    project.run(scenario)
    first = project.files("toy", "nmc").predictions()[0]
    assert sorted(first) == ["index", "label", "label_class_id", "predicted", "predicted_class_id"]
    y_test = np.repeat(np.arange(10), 30)
    np.testing.assert_array_equal(first["label_class_id"], y_test[first["index"]])
    np.testing.assert_array_equal(np.array(order)[first["label"]], first["label_class_id"])
    assert set(first["label"].tolist()) == {0, 1}
