"""The engine's training loop against a loop written by hand around the same tensor operations.

Axis letters: N samples, B batch, C channels, H W pixels, D features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi

import torch
from torch import nn
from torch.nn import functional as F

from cilsim.backbones.dense import mlp
from cilsim.backbones.options import CifarResNetOptions, MlpOptions, SmallOptions
from cilsim.backbones.residual import resnet20, small
from cilsim.bench.rounds import Arm, Contestants, Goal
from cilsim.data.augment import augment
from cilsim.data.samples import Samples
from cilsim.scenario.recipe import Augmentation, Recipe
from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.head import Head
from cilsim.training.loop import fit
from cilsim.training.spec import FitSpec

CLASSES = 20
MEAN, STD = (0.5,) * 3, (0.25,) * 3
AUGMENTATION = Augmentation(crop_padding=4, flip=True)

Net = Callable[[torch.Generator], nn.Module]


@dataclass(frozen=True)
class Workload:
    """One epoch over random samples."""

    net: Net
    samples: Samples
    recipe: Recipe

    def modules(self) -> dict[str, nn.Module]:
        """Return a fresh backbone and its head, the same at every call."""
        generator = torch.Generator().manual_seed(0)
        backbone = self.net(generator)
        head = Head(int(backbone.feature_size), CLASSES)  # type: ignore[arg-type]
        head.open(CLASSES, generator)
        device = self.samples.device
        return {"backbone": backbone.to(device), "head": head.to(device)}


def random_images(count: int, size: int, device: torch.device) -> Samples:
    """Return `count` uint8 images of `size` x `size` pixels, classes in turn."""
    generator = torch.Generator().manual_seed(0)
    shape = (count, 3, size, size)
    x = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    labels = torch.arange(count) % CLASSES
    return Samples(x.to(device), labels.to(device), torch.arange(count), "random", MEAN, STD)


def random_features(count: int, size: int, device: torch.device) -> Samples:
    """Return `count` ready features of `size` values, classes in turn."""
    x = torch.randn(count, size, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(count) % CLASSES
    return Samples(x.to(device), labels.to(device), torch.arange(count), "random", (), ())


def engine(workload: Workload) -> Callable[[], None]:
    """Return a contestant that trains through `fit`."""
    modules = workload.modules()
    return lambda: train_engine(workload, modules)


def train_engine(workload: Workload, modules: Mapping[str, nn.Module]) -> None:
    """Train backbone and head through `fit`."""

    def loss(batch: Batch) -> TrainingLoss:
        assert batch.labels is not None
        logits_BK = modules["head"](modules["backbone"](batch.x))
        return TrainingLoss(F.cross_entropy(logits_BK, batch.labels), logits_BK)

    fit(FitSpec(modules, workload.samples, workload.recipe, loss, seed_path=(0,)))


def bare(workload: Workload) -> Callable[[], None]:
    """Return a contestant that trains as one would by hand, loss and accuracy counted."""
    modules = workload.modules()
    backbone = modules["backbone"]
    if workload.recipe.compile:
        backbone = torch.compile(backbone, dynamic=False)  # type: ignore[assignment]
    return lambda: bare_epochs(workload, backbone, modules["head"])


def bare_epochs(workload: Workload, backbone: nn.Module, head: nn.Module) -> None:
    """Train as one would by hand."""
    samples, recipe = workload.samples, workload.recipe
    assert samples.labels is not None
    backbone.train().to(memory_format=torch.channels_last)
    parameters = [*backbone.parameters(), *head.parameters()]
    optimiser = torch.optim.SGD(
        parameters, recipe.lr, recipe.momentum, 0.0, recipe.weight_decay, True, fused=True
    )
    generator = torch.Generator().manual_seed(0)
    for epoch in range(recipe.epochs):
        for group in optimiser.param_groups:
            group["lr"] = 0.5 * recipe.lr * (1 + cos(pi * epoch / recipe.epochs))
        loss_sum = torch.zeros((), device=samples.device)
        correct = torch.zeros((), dtype=torch.int64, device=samples.device)
        order_N = torch.randperm(len(samples), generator=generator).to(samples.device)
        for start in range(0, len(samples), recipe.batch_size):
            index_B = order_N[start : start + recipe.batch_size]
            x, y_B = samples.x.index_select(0, index_B), samples.labels.index_select(0, index_B)
            x = augment(x, recipe.augmentation, generator, MEAN, STD, channels_last=True)
            logits_BK = head(backbone(x))
            loss = F.cross_entropy(logits_BK, y_B)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            loss_sum += loss.detach() * len(index_B)
            correct += (logits_BK.detach().argmax(1) == y_B).sum()
        _ignore((loss_sum / len(samples)).item(), correct.item())


def _ignore(*results: object) -> None:
    """Take results that only had to be computed."""


def image_arm(net: Net, count: int, summary: str, *, batch: int = 64) -> Arm:
    """Return an arm that trains a network on `count` random images of 32x32."""

    def build(device: torch.device) -> Contestants:
        recipe = Recipe(epochs=1, batch_size=batch, lr=0.05, augmentation=AUGMENTATION)
        workload = Workload(net, random_images(count, 32, device), recipe)
        return {"bare": bare(workload), "cilsim": engine(workload)}

    return Arm(summary, "bare", build, count, "image", (Goal("cilsim", 0.97, 0.95),))


def _small(generator: torch.Generator) -> nn.Module:
    return small(SmallOptions(), (3, 32, 32), generator)


def _resnet20(generator: torch.Generator) -> nn.Module:
    return resnet20(CifarResNetOptions(), (3, 32, 32), generator)


def _tiny(generator: torch.Generator) -> nn.Module:
    return mlp(MlpOptions(hidden=(32,)), (32,), generator)


def _step_overhead(device: torch.device) -> Contestants:
    recipe = Recipe(epochs=4, batch_size=32, lr=0.05)
    workload = Workload(_tiny, random_features(STEPS * 8, 32, device), recipe)
    return {"bare": bare(workload), "cilsim": engine(workload)}


STEPS = 1000
TRAIN_SMALL = image_arm(_small, 1024, "`small`, batch 64, crop and flip, images in memory")
TRAIN_RESNET20 = image_arm(_resnet20, 256, "ResNet-20, batch 64, crop and flip, images in memory")
STEP_OVERHEAD = Arm(
    "two linear layers on 32 features, batch 32: what a step costs besides the network",
    "bare", _step_overhead, STEPS, "step", (Goal("cilsim", 0.95, 0.95),),
)  # fmt: skip
