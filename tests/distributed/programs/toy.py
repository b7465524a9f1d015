"""Trainings small enough for tests, of every kind that processes treat differently."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cilsim.backbones.dense import mlp
from cilsim.backbones.options import MlpOptions, SmallOptions
from cilsim.backbones.residual import small
from cilsim.data.samples import Samples
from cilsim.distributed.processes import Processes
from cilsim.features.cache import FeatureCache
from cilsim.scenario.recipe import Augmentation, Recipe
from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.head import Head
from cilsim.training.loop import fit
from cilsim.training.sampling import Sampling
from cilsim.training.spec import EpochReport, FitSpec

CLASSES = 5
RECIPE = Recipe(
    epochs=3, batch_size=16, lr=0.05, augmentation=Augmentation(crop_padding=1, flip=True)
)


def images(count: int) -> Samples:
    """Noise around one colour per class."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % CLASSES
    colours = torch.tensor([[0, 0, 0], [150, 0, 0], [0, 150, 0], [0, 0, 150], [150, 150, 0]])
    noise = torch.randint(0, 100, (count, 3, 8, 8), dtype=torch.uint8, generator=generator)
    x = noise + colours[labels, :, None, None].to(torch.uint8)
    return Samples(x, labels, torch.arange(count), f"images {count}", (0.5,) * 3, (0.25,) * 3)


def features(count: int) -> Samples:
    """Points around one corner per class."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % CLASSES
    x = 3.0 * F.one_hot(labels, 6).float() + 0.1 * torch.randn(count, 6, generator=generator)
    return Samples(x, labels, torch.arange(count), "features", (), ())


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def _modules(backbone: nn.Module) -> dict[str, nn.Module]:
    head = Head(8, CLASSES + 2)
    head.open(CLASSES, _generator())
    return {"backbone": backbone, "head": head}


class SometimesUsed(nn.Module):
    """A layer that only some samples use, and one that none does."""

    def __init__(self) -> None:
        super().__init__()
        self.own = nn.Linear(8, 8)
        self.never = nn.Linear(8, 8)


def plain() -> FitSpec:
    """A network without batch norm; 45 samples leave a last batch of 13."""
    return _spec(_modules(mlp(MlpOptions(hidden=(8,)), (6,), _generator())), features(45))


def normed() -> FitSpec:
    """A convolutional network with batch norms."""
    return _spec(
        _modules(small(SmallOptions(widths=(4, 6, 8)), (3, 8, 8), _generator())), images(45)
    )


def two_views() -> FitSpec:
    """Every image in two augmentations."""
    spec = normed()

    def loss(batch: Batch) -> TrainingLoss:
        assert batch.labels is not None
        logits = spec.modules["head"](spec.modules["backbone"](batch.x))
        first, second = logits.chunk(2)
        total = F.cross_entropy(first, batch.labels) + F.cross_entropy(second, batch.labels)
        return TrainingLoss(total, first, {"second": F.cross_entropy(second, batch.labels)})

    return replace(spec, sampling=Sampling(views=2), loss=loss)


def whole() -> FitSpec:
    """A loss that is no mean over samples, so that no process can do with a share."""
    return replace(normed(), mean_loss=False)


def sometimes_unused() -> FitSpec:
    """A layer that only some shares use, and one that none does, with weight decay."""
    spec = plain()
    extra = SometimesUsed()
    generator = torch.Generator().manual_seed(3)
    for parameter in extra.parameters():
        nn.init.normal_(parameter, generator=generator)
    modules = {**spec.modules, "extra": extra}

    def loss(batch: Batch) -> TrainingLoss:
        assert batch.labels is not None
        hidden = spec.modules["backbone"](batch.x)
        per_sample = F.cross_entropy(spec.modules["head"](hidden), batch.labels, reduction="none")
        odd = batch.position % 16 == 3
        if odd.any():
            per_sample = per_sample + odd * extra.own(hidden).square().mean(1)
        return TrainingLoss(per_sample.mean())

    recipe = spec.recipe.model_copy(update={"weight_decay": 0.01})
    return replace(spec, modules=modules, loss=loss, recipe=recipe)


def _spec(modules: dict[str, nn.Module], samples: Samples) -> FitSpec:
    def loss(batch: Batch) -> TrainingLoss:
        assert batch.labels is not None
        logits = modules["head"](modules["backbone"](batch.x))
        return TrainingLoss(F.cross_entropy(logits, batch.labels), logits)

    return FitSpec(
        modules=modules,
        samples=samples,
        recipe=RECIPE,
        loss=loss,
        seed_path=(0, 0, "test"),
        strategy="toy",
        mean_loss=True,
    )


KINDS = {kind.__name__: kind for kind in (plain, normed, two_views, whole, sometimes_unused)}


def extracted(processes: Processes) -> dict[str, Any]:
    """Return features of parts of several sizes, and how many images this process forwarded."""
    spec = normed()
    backbone = spec.modules["backbone"].eval()
    cache = FeatureCache(1 << 20, processes=processes)
    found = {
        str(count): cache.features(backbone, "v", images(count), chunk=4) for count in (1, 5, 8, 45)
    }
    return {"features": found, "images": cache.counter.images}


def trained(kind: Any, processes: Processes) -> dict[str, Any]:
    """Return the weights after a training, and what it reported after each epoch."""
    reports: list[EpochReport] = []
    spec = replace(kind(), processes=processes, on_epoch=reports.append)
    fit(spec)
    weights: dict[str, Tensor] = {
        f"{name}.{key}": tensor
        for name, module in spec.modules.items()
        for key, tensor in module.state_dict().items()
    }
    told = [(report.loss, report.accuracy, dict(report.parts)) for report in reports]
    return {"weights": weights, "told": told}
