"""The version of a network: another one whenever its weights are others, whoever changed them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim import Experience, Strategy, hookimpl
from cilsim.backbones.backbone import Backbone, build_on_cpu, fingerprint
from cilsim.registry import Register
from cilsim.strategy.model import Model
from cilsim.testing import Project
from cilsim.training.head import Head


class Plane(Backbone):
    """Batch norm and one linear layer."""

    feature_size = 3

    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(2)
        self.layer = torch.nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.layer(self.norm(x))
        return features


@pytest.fixture
def model() -> Model:
    made = Model(
        lambda generator: build_on_cpu(Plane, generator),
        lambda size: Head(size, 4, "linear", 1.0),
        torch.device("cpu"),
    )
    made.reset(torch.Generator().manual_seed(0))
    return made


def step(model: Model) -> None:
    optimiser = torch.optim.SGD(model.backbone.parameters(), lr=0.1)
    model.backbone(torch.eye(2)).square().sum().backward()
    optimiser.step()


def pass_in_train_mode(model: Model) -> None:
    model.backbone.train()(torch.eye(2))


@pytest.mark.parametrize("change", [step, pass_in_train_mode], ids=lambda change: change.__name__)
def test_a_change_that_nobody_tells_is_noticed(
    model: Model, change: Callable[[Model], None]
) -> None:
    model.lasting, before = True, model.version
    change(model)
    assert model.version == fingerprint(model.backbone) != before
    assert not model.lasting


def test_weights_are_looked_at_once_per_change(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Any] = []
    monkeypatch.setattr(
        "cilsim.strategy.model.fingerprint",
        lambda network: str(len(looked.append(network) or looked)),
    )
    assert [model.version, model.version] == ["1", "1"]
    model.backbone.eval()(torch.eye(2))
    assert model.version == "1"
    step(model)
    assert [model.version, model.version] == ["2", "2"]


def test_weights_that_are_written_back_keep_their_version_and_stay_worth_keeping(
    model: Model,
) -> None:
    model.lasting, before = True, model.version
    model.backbone.load_state_dict(model.backbone.state_dict())
    assert model.version == before
    assert model.lasting


class LoopOfItsOwn(Strategy):
    """Trains the network without `fit`, and tells nobody."""

    def learn(self, experience: Experience) -> None:
        """Train for a hundred steps on all samples at once."""
        if experience.index == 0:
            self.context.train_base(experience)
            return
        backbone, head = self.context.backbone, self.context.head
        optimiser = torch.optim.SGD([*backbone.parameters(), *head.parameters()], lr=0.05)
        samples = experience.labelled
        for _ in range(100):
            optimiser.zero_grad()
            F.cross_entropy(head(backbone(samples.x)), samples.labels).backward()
            optimiser.step()


class SameOnSamples(LoopOfItsOwn):
    """Computes its features anew at each evaluation."""

    scores_images = True

    def scores(self, x: Tensor) -> Tensor:
        """Return logits."""
        scores: Tensor = self.context.head(self.context.backbone(x))
        return scores


class Adds:
    cilsim_api = 1

    @hookimpl
    def cilsim_register_strategies(self, register: Register) -> None:
        register("by_features", LoopOfItsOwn)
        register("by_samples", SameOnSamples)


def test_features_are_never_those_of_the_network_before_a_loop_of_a_strategys_own(
    tmp_path: Path,
) -> None:
    project = Project.create(tmp_path, (("adds", Adds()),))
    recipe = {"epochs": 3, "batch_size": 16, "lr": 0.05}
    scenario = project.ring_scenario(
        "nmc", {"kind": "class_incremental", "sizes": [4, 3, 3]}, base_training=recipe
    )
    del scenario["strategy"]
    outcome = project.run({**scenario, "strategies": ["by_features", "by_samples"]})
    assert not outcome.failures
    by_features, by_samples = (project.files("toy", one) for one in ("by_features", "by_samples"))
    for one, other in zip(by_features.predictions(), by_samples.predictions(), strict=True):
        np.testing.assert_array_equal(one["predicted"], other["predicted"])
