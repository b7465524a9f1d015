"""Samples of ours as an Avalanche experience, with everything that its strategies read of one.

Avalanche's own generators leave out task labels in batches, `classes_order` or a setter of
`dataset`; some strategy needs each of them. Axis letters: C channels, H W pixels, N samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch
from avalanche.benchmarks import DatasetExperience
from avalanche.benchmarks.utils.classification_dataset import (
    # the only way to task labels in batches; its public twin leaves them out
    _make_taskaware_classification_dataset,
)
from torch import Tensor
from torch.utils.data import Dataset

from cilsim.data.augment.pipeline import augment
from cilsim.data.normalise import prepare
from cilsim.data.samples import Samples
from cilsim.scenario.recipe import Augmentation


class StockExperience(DatasetExperience):  # type: ignore[misc] # avalanche has no types
    """One experience, without a stream around it: what comes later is not there to be read.

    Args:
        index: position in the stream.
        dataset: an Avalanche data set.
        new: labels that appear here.
        old: labels of earlier experiences.
        sizes: number of new classes of each experience of the stream.
    """

    def __init__(
        self, index: int, dataset: Any, new: Sequence[int], old: Sequence[int], sizes: Sequence[int]
    ) -> None:
        super().__init__(dataset=dataset, current_experience=index)
        self._origin_stream = SimpleNamespace(name="train_stream")
        present = sorted(set(new) | set(dataset.targets.uniques))
        self.task_label, self.task_labels = 0, [0]
        self.classes_in_this_experience = present
        self.previous_classes = sorted(old)
        self.classes_seen_so_far = sorted({*old, *present})
        self.future_classes = None
        self.scenario = self.benchmark = SimpleNamespace(
            n_classes=sum(sizes),
            n_classes_per_exp=list(sizes),
            classes_order=list(range(sum(sizes))),
        )

    @property
    def dataset(self) -> Any:
        """The samples; a strategy may put others in their place."""
        return self._dataset

    @dataset.setter
    def dataset(self, replacement: Any) -> None:
        self._dataset = replacement


def stock_dataset(samples: Samples, augmentation: Augmentation) -> Any:
    """Return an Avalanche data set of labelled samples, all of task 0.

    Its group `train` augments and normalises sample by sample, as Avalanche does it, drawing from
    torch's global generator; its group `eval` is the test transform.
    """
    assert samples.labels is not None  # strategies on labelled streams get no other part

    def train(x: Tensor) -> Tensor:
        generator = torch.default_generator
        arguments = (augmentation, generator, samples.mean, samples.std)
        return augment(x.unsqueeze(0), *arguments, crop=samples.crop)[0]

    def test(x: Tensor) -> Tensor:
        return prepare(x.unsqueeze(0), samples)[0]

    return _make_taskaware_classification_dataset(
        _Rows(samples),
        targets=samples.labels.tolist(),
        task_labels=0,
        transform_groups={"train": (train, None), "eval": (test, None)},
    )


class _Rows(Dataset[tuple[Tensor, int]]):
    """Samples one by one on the CPU, where Avalanche's buffers and loaders expect them."""

    def __init__(self, samples: Samples) -> None:
        assert samples.labels is not None
        self._x = samples.x.cpu() if isinstance(samples.x, Tensor) else samples.x
        self._labels: list[int] = samples.labels.tolist()

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        return self._x[place].cpu(), self._labels[place]
