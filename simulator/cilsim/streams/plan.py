"""The plan of a stream: positions of samples per experience, before any sample is read.

Labels are positions in stream order: label k is the k-th class of the class order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cilsim.data.dataset import DataFacts
from cilsim.records import ExperienceInfo, IntArray, StreamInfo
from cilsim.scenario.class_count import ClassCount, most_outputs, spelled, told

NO_SAMPLES: IntArray = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class ExperiencePlan:
    """Which samples an experience consists of.

    Attributes:
        index: position in the stream.
        name: what the field calls it, such as `base` or `session 3`.
        new_labels: labels of the classes that appear here.
        labelled: (N,) positions in the training part that come with labels.
        unlabelled: (N,) positions in the training part whose labels are hidden.
        test: (N,) positions in the test part: all samples of the new classes or, where classes
            come again, of the experience's domains.
        novel_classes: how many of the new classes, the last ones, come without any label.
    """

    index: int
    name: str
    new_labels: tuple[int, ...]
    labelled: IntArray
    unlabelled: IntArray
    test: IntArray
    novel_classes: int = 0


@dataclass(frozen=True)
class StreamPlan:
    """A stream as planned.

    Attributes:
        kind: the stream kind.
        protocol: in the field's notation.
        class_order: the data set's class id of each label.
        experiences: the plans in order.
        groups: what the classes of experience 0 and of all later ones are called.
        class_count: how strategies learn how many classes there are to discover.
    """

    kind: str
    protocol: str
    class_order: tuple[int, ...]
    experiences: tuple[ExperiencePlan, ...]
    groups: tuple[str, str]
    class_count: ClassCount = "given"

    @property
    def told(self) -> tuple[int | None, ...]:
        """How many novel classes a strategy is told at each experience; None is nothing."""
        return tuple(told(self.class_count, plan.novel_classes) for plan in self.experiences)

    @property
    def most_outputs(self) -> int:
        """The largest number of classes that a strategy may tell apart at the end."""
        return sum(
            len(plan.new_labels)
            - plan.novel_classes
            + most_outputs(self.class_count, plan.novel_classes)
            for plan in self.experiences
        )

    def digest(self) -> str:
        """Return the SHA-256 over class order and every split, as hexadecimal text."""
        state = hashlib.sha256()
        state.update(np.asarray(self.class_order, dtype="<i8").tobytes())
        for experience in self.experiences:
            for part in (experience.labelled, experience.unlabelled, experience.test):
                state.update(len(part).to_bytes(8, "little"))
                state.update(part.astype("<i8").tobytes())
        return state.hexdigest()

    def info(self, dataset: str, facts: DataFacts) -> StreamInfo:
        """Return the facts that anybody may know."""
        names = dict(zip(facts.class_ids, facts.class_names, strict=True))
        seen = np.cumsum([len(experience.new_labels) for experience in self.experiences])
        return StreamInfo(
            kind=self.kind,
            dataset=dataset,
            protocol=self.protocol,
            experiences=tuple(
                ExperienceInfo(
                    index=experience.index,
                    name=experience.name,
                    new_labels=experience.new_labels,
                    seen=int(seen[experience.index]),
                    labelled=len(experience.labelled),
                    unlabelled=len(experience.unlabelled),
                    test=len(experience.test),
                    novel_classes=experience.novel_classes,
                )
                for experience in self.experiences
            ),
            class_ids=self.class_order,
            class_names=tuple(names[class_id] for class_id in self.class_order),
            groups=self.groups,
            digest=self.digest(),
            number_of_classes=spelled(self.class_count),
        )


def labels_of(class_ids: IntArray, order: Sequence[int]) -> IntArray:
    """Return the label of each class id, -1 where the class is not in the stream.

    Args:
        class_ids: (N,) the data set's own ids.
        order: the class id of each label.
    """
    sorter = np.argsort(np.asarray(order, dtype=np.int64))
    ascending = np.asarray(order, dtype=np.int64)[sorter]
    place = np.minimum(np.searchsorted(ascending, class_ids), len(ascending) - 1)
    return np.where(ascending[place] == class_ids, sorter[place], -1).astype(np.int64)


def members(labels: IntArray, wanted: Sequence[int]) -> IntArray:
    """Return the positions of all samples whose label is wanted, ascending."""
    return np.flatnonzero(np.isin(labels, np.asarray(wanted, dtype=np.int64)))


def blocks(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """Return consecutive labels cut into blocks of the given sizes."""
    ends = np.cumsum(sizes)
    return [tuple(range(end - size, end)) for size, end in zip(sizes, ends.tolist(), strict=True)]
