"""Samples of a planned stream, handed out one experience at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch

from cilsim.data.dataset import DataSet
from cilsim.data.device import Part, part_digest, take
from cilsim.data.samples import Samples
from cilsim.records import IntArray
from cilsim.strategy import Experience
from cilsim.streams.plan import StreamPlan, labels_of


class Recall:
    """Samples that a strategy was given before, by position in the data set.

    It holds no class id and no test sample, so that a strategy cannot come by them through it.
    """

    def __init__(self, dataset: DataSet, device: torch.device, *, resident: bool = True) -> None:
        no_ids = np.empty(0, dtype=np.int64)
        bare = replace(dataset.facts, y_train=no_ids, y_test=no_ids)
        self._dataset = replace(dataset, facts=bare, x_test=dataset.x_test[:0].copy())
        self._device = device
        self._resident = resident
        self._given: set[int] = set()

    def give(self, positions: Iterable[int]) -> None:
        """Allow these positions from now on."""
        self._given.update(positions)

    def __call__(self, index_N: torch.Tensor, labels_N: torch.Tensor | None = None) -> Samples:
        """Return samples that were given before.

        Raises:
            ValueError: a position was never given to the strategy.
        """
        foreign = set(index_N.tolist()) - self._given
        if foreign:
            raise ValueError(
                f"sample {min(foreign)} was never given to the strategy and cannot be recalled"
            )
        labels = None if labels_N is None else labels_N.cpu().numpy()
        index = index_N.cpu().numpy()
        return _take(self._dataset, "train", index, labels, self._device, self._resident)


class Materials:
    """The samples of a stream.

    A strategy gets `experience(i)` and, of earlier experiences, only what it asks for by position
    through `recall`; test samples are for the evaluation alone.

    Args:
        dataset: the data.
        plan: of the stream.
        device: where samples go.
        resident: whether all samples of a part go there at once, or batch by batch.
    """

    def __init__(
        self, dataset: DataSet, plan: StreamPlan, device: torch.device, *, resident: bool = True
    ) -> None:
        self.plan = plan
        self.recall = Recall(dataset, device, resident=resident)
        self._dataset = dataset
        self._device = device
        self._resident = resident
        self._train_labels = labels_of(dataset.facts.y_train, plan.class_order)
        self._test_labels = labels_of(dataset.facts.y_test, plan.class_order)
        self._tests: dict[int, Samples] = {}
        self._place_of_label = np.full(len(plan.class_order), -1, dtype=np.int64)

    @property
    def are_features(self) -> bool:
        """Whether samples are ready features rather than images."""
        return self._dataset.facts.features

    def experience(self, index: int, known_classes: int | None = None) -> Experience:
        """Return what a strategy may see of experience `index`.

        Args:
            index: which experience.
            known_classes: how many classes the strategy told apart before; its new labels follow
                them, so that they differ from those of the stream once it found too many classes
                or too few. Default: as many as the stream had.
        """
        plan = self.plan.experiences[index]
        if known_classes is None:
            known_classes = sum(len(past.new_labels) for past in self.plan.experiences[:index])
        self.give(index, known_classes)
        labelled_classes = len(plan.new_labels) - plan.novel_classes
        return Experience(
            index=index,
            train=self._train(plan.labelled, labelled=True),
            unlabelled=self._train(plan.unlabelled, labelled=False),
            new_classes=labelled_classes,
            seen_classes=known_classes + labelled_classes,
        )

    def give(self, index: int, known_classes: int) -> None:
        """Allow `recall` for the samples of experience `index`, as after a resume."""
        plan = self.plan.experiences[index]
        labelled = plan.new_labels[: len(plan.new_labels) - plan.novel_classes]
        self._place_of_label[list(labelled)] = known_classes + np.arange(len(labelled))
        self.recall.give(plan.labelled.tolist() + plan.unlabelled.tolist())

    def hidden_labels(self, index: int) -> IntArray:
        """Return the true labels of the unlabelled samples of an experience, to score them."""
        return self._train_labels[self.plan.experiences[index].unlabelled]

    def training_samples(self, positions: IntArray) -> Samples:
        """Return samples of the training part without labels, to picture them."""
        return self._take("train", positions, None)

    def test_samples(self, positions: IntArray) -> Samples:
        """Return samples of the test part without labels, to picture them."""
        return self._take("test", positions, None)

    def test(self, index: int) -> Samples:
        """Return the test samples of the classes of experience `index`, kept on the device."""
        if index not in self._tests:
            positions = self.plan.experiences[index].test
            self._tests[index] = self._take("test", positions, self._test_labels[positions])
        return self._tests[index]

    def _train(self, positions: IntArray, *, labelled: bool) -> Samples | None:
        if not len(positions):
            return None
        labels = self._place_of_label[self._train_labels[positions]] if labelled else None
        return self._take("train", positions, labels)

    def _take(self, part: Part, positions: IntArray, labels: IntArray | None) -> Samples:
        return _take(self._dataset, part, positions, labels, self._device, self._resident)


def _take(
    dataset: DataSet,
    part: Part,
    positions: IntArray,
    labels: IntArray | None,
    device: torch.device,
    resident: bool,
) -> Samples:
    digest = part_digest(dataset.digest, part, positions, dataset.crop)
    return take(dataset, part, positions, labels, device, digest, resident=resident)
