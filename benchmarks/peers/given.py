"""What every tool is given: the stream's images as arrays, and the backbone that learnt the base.

Axis letters: N samples, H W pixels, C channels.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cilsim.bench.prepared_runs import PreparedRuns
from cilsim.data.dataset import DataSet
from cilsim.runner.planning import plan_stream
from cilsim.streams.plan import StreamPlan, labels_of


@dataclass(frozen=True)
class Images:
    """Images as CIFAR's files have them, with labels in stream order.

    Attributes:
        pixels: (N, H, W, C) uint8.
        labels: (N,) int64.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def of_class(self, label: int) -> Images:
        """Return the images of one class."""
        places = np.where(self.labels == label)[0]
        return Images(self.pixels[places], self.labels[places])


def together(parts: list[Images]) -> Images:
    """Return all images of several parts, copied as the tools copy them."""
    images = np.concatenate([part.pixels for part in parts])
    return Images(images, np.concatenate([part.labels for part in parts]))


@dataclass(frozen=True)
class Given:
    """A stream and its base.

    Attributes:
        backbone: frozen, in eval mode, weights laid out as PyTorch lays them out.
        trains: labelled images of each experience.
        tests: test images of the classes of each experience.
        mean: of each channel, for the normalisation.
        std: likewise.
        device: where the network computes.
        dataset: the data as cilsim has it, for tools that get the stream through a bridge.
        plan: the stream likewise.
    """

    backbone: nn.Module
    trains: list[Images]
    tests: list[Images]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    device: torch.device
    dataset: DataSet
    plan: StreamPlan

    def sessions(self) -> range:
        """Return the indices of the experiences after the base."""
        return range(1, len(self.trains))

    def seen(self, session: int) -> int:
        """Return how many classes have come by the end of a session."""
        return int(self.trains[session].labels.max()) + 1

    def new_labels(self, session: int) -> range:
        """Return the labels of the classes that come in a session."""
        return range(self.seen(session - 1) if session else 0, self.seen(session))

    def workers(self) -> int:
        """Return the loaders' worker processes: none on a CPU, 8 on a GPU, as most ship it."""
        return 8 if self.device.type == "cuda" else 0


def given(runs: PreparedRuns, label: str) -> Given:
    """Return what a run of the strategy `label` starts its first increment from."""
    plan, _ = plan_stream(runs.scenario, runs.plugins, 0)
    dataset = runs.dataset
    backbone = copy.deepcopy(runs.after_base(label).model.backbone)
    backbone = backbone.eval().requires_grad_(False).to(memory_format=torch.contiguous_format)
    return Given(
        backbone=backbone,
        trains=list(_parts(dataset, plan, "train")),
        tests=list(_parts(dataset, plan, "test")),
        mean=tuple(dataset.mean),
        std=tuple(dataset.std),
        device=runs.device,
        dataset=dataset,
        plan=plan,
    )


def _parts(dataset: DataSet, plan: StreamPlan, part: str) -> Iterator[Images]:
    training = part == "train"
    images_NCHW: NDArray[Any] = dataset.x_train if training else dataset.x_test
    class_ids = dataset.facts.y_train if training else dataset.facts.y_test
    labels = labels_of(class_ids, plan.class_order)
    for experience in plan.experiences:
        positions = experience.labelled if training else experience.test
        pixels = np.ascontiguousarray(np.moveaxis(images_NCHW[positions], 1, 3))
        yield Images(pixels, labels[positions])
