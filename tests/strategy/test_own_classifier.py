"""Strategies that train a classifier of their own once the prototypes are final."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cilsim import Batch, Experience, Strategy, TrainingLoss, hookimpl
from cilsim.prototypes.rows import append_rows
from cilsim.prototypes.scores import cosine_scores
from cilsim.testing import Project


class Means(Strategy):
    """Class means; what `after_calibration` finds is noted, and rows are halved there."""

    seen: list[tuple[int, Tensor]] = []

    def learn(self, experience: Experience) -> None:
        self.prototypes = append_rows(self.prototypes, self.context.class_means(experience))

    def after_calibration(self, experience: Experience) -> None:
        assert self.prototypes is not None
        self.seen.append((experience.index, self.prototypes.clone()))
        self.prototypes = 0.5 * self.prototypes

    def scores(self, x: Tensor) -> Tensor:
        assert self.prototypes is not None
        return cosine_scores(x, self.prototypes)


class Probe(Means):
    """Trains a linear layer with a loss of its own on each experience's samples."""

    changed: list[str] = []

    def after_calibration(self, experience: Experience) -> None:
        before = [p.clone() for p in self._network()]
        layer = nn.Linear(32, experience.seen_classes)
        start = layer.weight.detach().clone()

        def loss(batch: Batch) -> TrainingLoss:
            with torch.no_grad():
                features = self.context.backbone(batch.x)
            return TrainingLoss(F.cross_entropy(layer(features), batch.labels))

        self.context.fit(experience.labelled, modules={"layer": layer}, loss=loss)
        same = all(torch.equal(a, b) for a, b in zip(before, self._network(), strict=True))
        self.changed.append("nothing" if same else "network")
        self.changed.append("nothing" if torch.equal(start, layer.weight) else "layer")

    def _network(self) -> list[Tensor]:
        context = self.context
        return [*context.backbone.parameters(), *context.head.parameters()]

    def loss(self, batch: Batch) -> TrainingLoss:
        raise AssertionError("the strategy's own loss has no part in this")


class Registration:
    cilsim_api = 1

    @hookimpl
    def cilsim_register_strategies(self, register: Any) -> None:
        register("means", Means)
        register("probe", Probe)


class Doubling:
    """Doubles the new rows, as a calibrator would change them, and watches the other hooks."""

    cilsim_api = 1

    def __init__(self) -> None:
        self.losses = 0
        self.scalars: list[str] = []

    @hookimpl
    def cilsim_calibrate_prototypes(self, prototypes: Any) -> None:
        new = list(prototypes.new)
        prototypes.update(new, 2.0 * prototypes.vectors[new], by="doubling")

    @hookimpl
    def cilsim_training_loss(self) -> None:
        self.losses += 1

    @hookimpl
    def cilsim_on_scalars(self, scalars: Any) -> None:
        self.scalars += scalars.values


@pytest.fixture
def doubling() -> Doubling:
    Means.seen.clear()
    Probe.changed.clear()
    return Doubling()


@pytest.fixture
def project(tmp_path: Any, doubling: Doubling) -> Project:
    return Project.create(tmp_path, [("registration", Registration()), ("doubling", doubling)])


def test_after_calibration_sees_the_calibrated_prototypes_once(project: Project) -> None:
    assert not project.run(project.ring_scenario("means", backbone="identity")).failures
    assert [index for index, _ in Means.seen] == [0, 1, 2, 3, 4]
    lengths = [rows.norm(dim=1) for _, rows in Means.seen]
    torch.testing.assert_close(lengths[0], torch.full((2,), 6.0), atol=0.3, rtol=0)
    expected = torch.tensor([1.5, 1.5, 3.0, 3.0, 6.0, 6.0])  # halved after each experience
    torch.testing.assert_close(lengths[2], expected, atol=0.3, rtol=0)


def test_drift_counts_from_what_after_calibration_left(project: Project) -> None:
    assert not project.run(project.ring_scenario("means", backbone="identity")).failures
    drifts = [
        value
        for (_, name), value in sorted(project.files("toy", "means").metrics().items())
        if name == "prototypes/drift"
    ]
    assert drifts == [0.0, 0.0, 0.0, 0.0]


def test_a_loss_of_its_own_trains_the_modules_alone(project: Project, doubling: Doubling) -> None:
    assert not project.run(project.ring_scenario("probe")).failures
    assert Probe.changed == ["nothing", "layer"] * 5
    assert doubling.losses == 0
    assert "train/loss" in doubling.scalars
