"""Small trainings on which the loop is tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cilsim.backbones.dense import mlp
from cilsim.backbones.options import MlpOptions, SmallOptions
from cilsim.backbones.residual import small
from cilsim.data.samples import Samples
from cilsim.scenario.recipe import Augmentation, Recipe
from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.head import Head
from cilsim.training.spec import FitSpec

Modules = Mapping[str, nn.Module]


class Toy:
    """Five classes, a small net, and what is needed to train it."""

    classes = 5
    recipe = Recipe(
        epochs=3,
        batch_size=8,
        lr=0.05,
        augmentation=Augmentation(crop_padding=1, flip=True, brightness=0.2),
    )

    @staticmethod
    def generator(seed: int = 0) -> torch.Generator:
        return torch.Generator().manual_seed(seed)

    def images(self, count: int = 22, *, size: int = 8) -> Samples:
        """Noise around one colour per class."""
        shape = (count, 3, size, size)
        noise = torch.randint(0, 100, shape, dtype=torch.uint8, generator=self.generator())
        labels = torch.arange(count) % self.classes
        colours = torch.tensor([[0, 0, 0], [150, 0, 0], [0, 150, 0], [0, 0, 150], [150, 150, 0]])
        x = noise + colours[labels, :, None, None].to(torch.uint8)
        return Samples(x, labels, torch.arange(count), "images", (0.5,) * 3, (0.25,) * 3)

    def features(self, count: int = 22) -> Samples:
        labels = torch.arange(count) % self.classes
        noise = torch.randn(count, 6, generator=self.generator())
        x = 3.0 * F.one_hot(labels, 6).float() + 0.1 * noise
        return Samples(x, labels, torch.arange(count), "features", (), ())

    def image_modules(self, seed: int = 1) -> dict[str, nn.Module]:
        options = SmallOptions(widths=(4, 6, 8))
        return self._with_head(small(options, (3, 8, 8), self.generator(seed)))

    def feature_modules(self, seed: int = 1) -> dict[str, nn.Module]:
        return self._with_head(mlp(MlpOptions(hidden=(8,)), (6,), self.generator(seed)))

    def _with_head(self, backbone: nn.Module) -> dict[str, nn.Module]:
        head = Head(8, self.classes + 2)
        head.open(self.classes, self.generator(2))
        return {"backbone": backbone, "head": head}

    @staticmethod
    def loss(modules: Modules) -> Callable[[Batch], TrainingLoss]:
        def cross_entropy(batch: Batch) -> TrainingLoss:
            assert batch.labels is not None
            logits = modules["head"](modules["backbone"](batch.x))
            return TrainingLoss(F.cross_entropy(logits, batch.labels), logits)

        return cross_entropy

    def spec(self, modules: Modules | None = None, **changes: Any) -> FitSpec:
        """A training of 22 images in 3 epochs of 3 steps, the last one incomplete."""
        modules = self.image_modules() if modules is None else modules
        given: dict[str, Any] = {
            "modules": modules,
            "samples": self.images(),
            "recipe": self.recipe,
            "loss": self.loss(modules),
            "seed_path": (0, 0, "test"),
        }
        return FitSpec(**{**given, **changes})

    @staticmethod
    def weights(modules: Modules) -> dict[str, torch.Tensor]:
        return {
            f"{name}.{key}": tensor.clone()
            for name, module in modules.items()
            for key, tensor in module.state_dict().items()
        }

    def assert_equal(self, one: Modules, other: Modules) -> None:
        left, right = self.weights(one), self.weights(other)
        assert left.keys() == right.keys()
        assert [name for name in left if not torch.equal(left[name], right[name])] == []


@pytest.fixture
def toy() -> Toy:
    return Toy()
