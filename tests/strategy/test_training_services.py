"""What the context offers to strategies that train in every experience."""

from __future__ import annotations

from typing import Any

import torch

from cilsim import Batch, Experience, Strategy
from cilsim.scenario.recipe import Augmentation


def batch(epoch: int, step: int) -> Batch:
    return Batch(torch.zeros(1, 2), None, torch.zeros(1, dtype=torch.int64), 1, epoch, step, 0.0)


def test_a_step_generator_depends_on_position_and_name_alone(probe: Any) -> None:
    def draws(strategy: Strategy, experience: Experience) -> list[float]:
        places = [(0, 0, "a"), (0, 0, "a"), (0, 1, "a"), (1, 0, "a"), (0, 0, "b")]
        return [
            torch.rand(
                1, generator=strategy.context.step_generator(batch(epoch, step), name)
            ).item()
            for epoch, step, name in places
        ]

    first, *others = probe(draws)
    assert first[0] == first[1]
    assert len(set(first)) == 4
    assert all(other == first for other in others)  # the batch says which experience


def test_each_experience_has_the_recipe_of_its_kind(probe: Any) -> None:
    recipe = {"epochs": 1, "batch_size": 60, "lr": 0.05}
    seen = probe(
        lambda strategy, experience: strategy.context.experience_recipe.lr,
        base_training=recipe,
        training={**recipe, "lr": 0.25},
    )
    assert seen == [0.05] + [0.25] * 4


def test_augmented_features_of_ready_features_are_the_plain_ones(probe: Any) -> None:
    def equal(strategy: Strategy, experience: Experience) -> bool:
        samples = experience.labelled
        augmented = strategy.context.augmented_features(samples, Augmentation(flip=True))
        return torch.allclose(augmented, strategy.context.features(samples), atol=1e-5)

    assert probe(equal) == [True] * 5


def test_a_copy_of_the_old_model_has_one_layout_whatever_the_model_has(probe: Any) -> None:
    """A restored model has other strides than a trained one; rounding must not show it."""

    def strides(strategy: Strategy, experience: Experience) -> bool:
        found = []
        for layout in (torch.contiguous_format, torch.channels_last):
            strategy.context.backbone.to(memory_format=layout)
            copied, _ = strategy.context.old_model()
            found.append([parameter.stride() for parameter in copied.parameters()])
        return found[0] == found[1]

    images = {"name": "small", "widths": [4, 4, 4]}
    stream = {"kind": "class_incremental", "dataset": "digits", "experiences": 2}
    assert probe(strides, backbone=images, stream=stream) == [True, True]


def test_modules_trained_with_the_base_come_back_with_it(probe: Any) -> None:
    """The second training finds the stored base and loads the module that was trained with it."""

    class Scaled(Strategy):
        def setup(self) -> None:
            self.scale = torch.nn.Linear(1, 1, bias=False)
            torch.nn.init.ones_(self.scale.weight)

        def loss(self, batch: Batch) -> Any:
            found = super().loss(batch)
            found.total = found.total * self.scale.weight.exp().sum()
            return found

    def weights(strategy: Any, experience: Experience) -> list[float]:
        if experience.index:
            return []
        found = []
        for _ in range(2):
            torch.nn.init.ones_(strategy.scale.weight)
            strategy.context.train_base(experience, modules={"scale": strategy.scale})
            found.append(strategy.scale.weight.item())
        return found

    first, second = probe(weights, Scaled)[0]
    assert first == second
    assert first < 1.0
