"""Avalanche's stock `Naive` with its own loader, against the engine.

The Avalanche side is what its tutorials write: images with the transforms of its SplitCIFAR100,
`nc_benchmark`, `Naive`, accuracy and loss per epoch as metrics, default loader settings.

On a CPU the network takes most of the time in both, so that the ratio says little about the
loader; `avalanche-input` leaves the network out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from benchmarks.peers.given import Images
from benchmarks.peers.loading import PilImages
from cilsim.backbones.dense import mlp
from cilsim.backbones.options import MlpOptions, SmallOptions
from cilsim.backbones.residual import small
from cilsim.bench.rounds import Arm, Goal
from cilsim.bench.training import (
    AUGMENTATION,
    MEAN,
    STD,
    Workload,
    engine,
    random_features,
    random_images,
)
from cilsim.data.normalise import prepare
from cilsim.scenario.recipe import Recipe
from cilsim.training.batching import Batcher

RECIPE = Recipe(epochs=1, batch_size=64, lr=0.05, augmentation=AUGMENTATION)


def _tensor_experience(workload: Workload) -> Any:
    """Return tensors in memory as the one experience of a new-classes benchmark.

    Features as they are; images normalised, and without augmentation, of which Avalanche has no
    form for batches.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from avalanche.benchmarks import nc_benchmark
        from avalanche.benchmarks.utils import as_classification_dataset

    samples = workload.samples
    assert samples.labels is not None
    x = prepare(samples.x[:], samples).contiguous().cpu()
    tensors = torch.utils.data.TensorDataset(x, samples.labels.cpu())
    tensors.targets = samples.labels.tolist()  # type: ignore[attr-defined]
    data = as_classification_dataset(tensors)
    benchmark = nc_benchmark(data, data, n_experiences=1, task_labels=False, seed=0)
    return benchmark.train_stream[0]


def _image_experience(workload: Workload) -> Any:
    """Return images as the one experience of a new-classes benchmark."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # qpsolvers warns at import that it has no solver
        from avalanche.benchmarks import nc_benchmark
        from torchvision import transforms

    train_transform = transforms.Compose(
        [
            transforms.RandomCrop(workload.samples.x.shape[-1], padding=AUGMENTATION.crop_padding),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )
    samples = workload.samples
    assert samples.labels is not None
    images_NHWC = samples.x[:].cpu().permute(0, 2, 3, 1).contiguous().numpy()
    data = PilImages(Images(images_NHWC, samples.labels.cpu().numpy()))
    benchmark = nc_benchmark(
        data, data, n_experiences=1, task_labels=False, seed=0, train_transform=train_transform
    )
    return benchmark.train_stream[0]


def naive(
    workload: Workload, make_experience: Callable[[Workload], Any] = _image_experience
) -> Callable[[], None]:
    """Return a contestant that trains with a fresh `Naive`."""
    experience, modules = make_experience(workload), workload.modules()
    model = nn.Sequential(modules["backbone"], modules["head"])

    def train() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Avalanche warns that no logger is set
            _naive(model, workload).train(experience)

    return train


def _naive(model: nn.Module, workload: Workload) -> Any:
    from avalanche.evaluation.metrics import accuracy_metrics, loss_metrics
    from avalanche.training.plugins import EvaluationPlugin
    from avalanche.training.supervised import Naive

    recipe = workload.recipe
    optimiser = torch.optim.SGD(
        model.parameters(),
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
    )
    metrics = (accuracy_metrics(epoch=True), loss_metrics(epoch=True))
    return Naive(
        model=model,
        optimizer=optimiser,
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=recipe.batch_size,
        train_epochs=recipe.epochs,
        device=workload.samples.device,
        evaluator=EvaluationPlugin(*metrics, loggers=[]),
    )


def naive_batches(workload: Workload) -> Callable[[], None]:
    """Return a contestant that takes every batch of Avalanche's loader to the device."""
    from avalanche.benchmarks.utils.data_loader import TaskBalancedDataLoader

    dataset, device = _image_experience(workload).dataset, workload.samples.device

    def load() -> None:
        loader = TaskBalancedDataLoader(
            dataset.train(), batch_size=workload.recipe.batch_size, shuffle=True
        )
        for x, y, _ in loader:
            x.to(device), y.to(device)

    return load


def engine_batches(workload: Workload) -> Callable[[], None]:
    """Return a contestant that prepares every batch of an epoch."""
    batcher = Batcher(workload.samples, workload.recipe, (0,), workload.samples.device)

    def prepare() -> None:
        order_N = batcher.order(0)
        for step, (start, stop) in enumerate(batcher.bounds):
            batcher.x(order_N[start:stop], 0, step)
            batcher.labels(order_N[start:stop])

    return prepare


def training_arm(widths: tuple[int, int, int], size: int, count: int) -> Arm:
    def net(generator: torch.Generator) -> nn.Module:
        return small(SmallOptions(widths=widths), (3, size, size), generator)

    def build(device: torch.device) -> Mapping[str, Callable[[], None]]:
        workload = Workload(net, random_images(count, size, device), RECIPE)
        return {
            "avalanche": naive(workload),
            "avalanche, tensors": naive(workload, _tensor_experience),
            "cilsim": engine(workload),
        }

    summary = f"Naive with its PIL loader: {size}x{size} images, `small` {widths}, batch 64"
    return Arm(summary, "avalanche", build, count, "image", (Goal("cilsim", 1.2, 5.0),))


def _input(device: torch.device) -> Mapping[str, Callable[[], None]]:
    workload = Workload(nn.Identity, random_images(INPUT_IMAGES, 32, device), RECIPE)
    return {"avalanche": naive_batches(workload), "cilsim": engine_batches(workload)}


def _features(device: torch.device) -> Mapping[str, Callable[[], None]]:
    def net(generator: torch.Generator) -> nn.Module:
        return mlp(MlpOptions(hidden=(64,)), (FEATURE_SIZE,), generator)

    workload = Workload(net, random_features(FEATURES, FEATURE_SIZE, device), RECIPE)
    return {"avalanche": naive(workload, _tensor_experience), "cilsim": engine(workload)}


INPUT_IMAGES = 4096
FEATURES, FEATURE_SIZE = 16_384, 64
AVALANCHE = training_arm((24, 48, 96), 32, 1024)
AVALANCHE_TINY = training_arm((8, 16, 32), 16, 2048)
AVALANCHE_INPUT = Arm(
    "loading, crop, flip and normalisation of 32x32 images, without a network",
    "avalanche", _input, INPUT_IMAGES, "image", (Goal("cilsim", 12.0, 12.0),),
)  # fmt: skip
AVALANCHE_FEATURES = Arm(
    "Naive with its loader over tensors: 64 ready features, `mlp` of 64 units, batch 64",
    "avalanche", _features, FEATURES, "sample", (Goal("cilsim", 5.0, 5.0),),
)  # fmt: skip
