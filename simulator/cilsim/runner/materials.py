"""Samples of a planned stream on the device, handed out one experience at a time."""

from __future__ import annotations

import torch

from cilsim.data.dataset import DataSet
from cilsim.data.device import Part, part_digest, take
from cilsim.data.samples import Samples
from cilsim.records import IntArray
from cilsim.strategy import Experience
from cilsim.streams.plan import StreamPlan, labels_of


class Materials:
    """The samples of a stream.

    A strategy gets `experience(i)` and, of earlier experiences, only what it asks for by position
    through `recall`; test samples are for the evaluation alone.
    """

    def __init__(self, dataset: DataSet, plan: StreamPlan, device: torch.device) -> None:
        self.plan = plan
        self._dataset = dataset
        self._device = device
        self._train_labels = labels_of(dataset.facts.y_train, plan.class_order)
        self._test_labels = labels_of(dataset.facts.y_test, plan.class_order)
        self._tests: dict[int, Samples] = {}
        self._given: set[int] = set()

    def experience(self, index: int) -> Experience:
        """Return what a strategy may see of experience `index`."""
        plan = self.plan.experiences[index]
        seen = sum(len(earlier.new_labels) for earlier in self.plan.experiences[: index + 1])
        self.give(index)
        return Experience(
            index=index,
            train=self._train(plan.labelled, labelled=True),
            unlabelled=self._train(plan.unlabelled, labelled=False),
            new_classes=len(plan.new_labels),
            seen_classes=seen,
        )

    def give(self, index: int) -> None:
        """Allow `recall` for the samples of experience `index`, as after a resume."""
        plan = self.plan.experiences[index]
        self._given.update(plan.labelled.tolist(), plan.unlabelled.tolist())

    def recall(self, index: torch.Tensor, labels: torch.Tensor | None) -> Samples:
        """Return samples that were given before, by position in the data set.

        Raises:
            ValueError: a position was never given to the strategy.
        """
        foreign = set(index.tolist()) - self._given
        if foreign:
            raise ValueError(
                f"sample {min(foreign)} was never given to the strategy and cannot be recalled"
            )
        return self._take("train", index.numpy(), None if labels is None else labels.numpy())

    def test(self, index: int) -> Samples:
        """Return the test samples of the classes of experience `index`, kept on the device."""
        if index not in self._tests:
            positions = self.plan.experiences[index].test
            self._tests[index] = self._take("test", positions, self._test_labels[positions])
        return self._tests[index]

    def _train(self, positions: IntArray, *, labelled: bool) -> Samples | None:
        if not len(positions):
            return None
        labels = self._train_labels[positions] if labelled else None
        return self._take("train", positions, labels)

    def _take(self, part: Part, positions: IntArray, labels: IntArray | None) -> Samples:
        digest = part_digest(self._dataset.digest, part, positions)
        return take(self._dataset, part, positions, labels, self._device, digest)
