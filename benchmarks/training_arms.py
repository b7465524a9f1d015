"""Further arms of the training loop; workloads and the first arms: `cilsim.bench.training`.

Axis letters: K classes seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import nn

from cilsim.backbones.options import CifarResNetOptions, ResNetOptions, SmallOptions
from cilsim.backbones.residual import resnet18_cifar, resnet32, small
from cilsim.bench.rounds import Arm, Contestants, Goal
from cilsim.bench.training import (
    AUGMENTATION,
    CLASSES,
    Workload,
    bare,
    bare_epochs,
    engine,
    image_arm,
    random_images,
    train_engine,
)
from cilsim.data.samples import Samples
from cilsim.scenario.recipe import Recipe
from cilsim.training.head import Head

GOALS = (Goal("cilsim", 0.97, 0.95),)
EXPERIENCES = 4


def _resnet32(generator: torch.Generator) -> nn.Module:
    return resnet32(CifarResNetOptions(), (3, 32, 32), generator)


def _resnet18(generator: torch.Generator) -> nn.Module:
    return resnet18_cifar(ResNetOptions(), (3, 32, 32), generator)


def _small(generator: torch.Generator) -> nn.Module:
    return small(SmallOptions(), (3, 32, 32), generator)


def _of_classes(samples: Samples, classes: int) -> Samples:
    assert samples.labels is not None  # random samples have them
    return replace(samples, labels=samples.labels % classes)


def _growing(device: torch.device) -> Contestants:
    """Return contestants that train four experiences, each with five more classes."""
    recipe = Recipe(epochs=1, batch_size=64, lr=0.05, augmentation=AUGMENTATION)
    workload = Workload(_small, random_images(256, 32, device), recipe)
    seen = [CLASSES // EXPERIENCES * (number + 1) for number in range(EXPERIENCES)]
    parts = [replace(workload, samples=_of_classes(workload.samples, count)) for count in seen]
    return {"bare": _bare_growing(parts, seen), "cilsim": _engine_growing(parts, seen)}


def _feature_size(modules: Mapping[str, nn.Module]) -> int:
    return int(modules["backbone"].feature_size)  # type: ignore[arg-type]


def _engine_growing(parts: list[Workload], seen: list[int]) -> Callable[[], None]:
    modules, generator = parts[0].modules(), torch.Generator()

    def experiences() -> None:
        head = Head(_feature_size(modules), CLASSES).to(parts[0].samples.device)
        for part, count in zip(parts, seen, strict=True):
            head.open(count - head.seen, generator.manual_seed(count))
            train_engine(part, {"backbone": modules["backbone"], "head": head})

    return experiences


def _bare_growing(parts: list[Workload], seen: list[int]) -> Callable[[], None]:
    """Return a contestant whose linear layer is made anew for (K, D) and the old rows copied."""
    modules = parts[0].modules()

    def experiences() -> None:
        rows_KD = torch.empty(0, _feature_size(modules), device=parts[0].samples.device)
        for part, count in zip(parts, seen, strict=True):
            head = nn.Linear(rows_KD.shape[1], count).to(part.samples.device)
            with torch.no_grad():
                head.weight[: len(rows_KD)] = rows_KD
            bare_epochs(part, modules["backbone"], head)
            rows_KD = head.weight

    return experiences


def _compiled(device: torch.device) -> Contestants:
    recipe = Recipe(epochs=1, batch_size=64, lr=0.05, augmentation=AUGMENTATION, compile=True)
    workload = Workload(_small, random_images(1024, 32, device), recipe)
    return {"bare": bare(workload), "cilsim": engine(workload)}


TRAIN_RESNET32 = image_arm(_resnet32, 192, "ResNet-32, batch 64, crop and flip, images in memory")
TRAIN_RESNET18 = image_arm(_resnet18, 96, "ResNet-18 at 32x32, batch 32, crop and flip", batch=32)
TRAIN_GROWING = Arm(
    "`small`, four experiences of five classes: the engine's head against a new linear layer each",
    "bare", _growing, 256 * EXPERIENCES, "image", GOALS,
)  # fmt: skip
TRAIN_COMPILED = Arm(
    "`small` compiled on both sides, batch 64; compiling is in the round that is dropped",
    "bare", _compiled, 1024, "image", GOALS,
)  # fmt: skip
