"""What is known about a stream and its experiences.

Axis letters: K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cilsim.records.arrays import IntArray


@dataclass(frozen=True)
class ExperienceInfo:
    """Facts about one experience that anybody may know.

    Attributes:
        index: position in the stream, 0 is the base.
        name: what the field calls it, such as `base` or `session 3`.
        new_labels: labels (positions in stream order) of the classes that appear here.
        seen: number of classes seen up to and including this experience.
        labelled: number of labelled training samples.
        unlabelled: number of unlabelled training samples.
        test: number of test samples that belong to it: those of the new classes or, where classes
            come again, of its domains.
        novel_classes: how many of the new classes, the last ones, come without any label.
    """

    index: int
    name: str
    new_labels: tuple[int, ...]
    seen: int
    labelled: int
    unlabelled: int
    test: int
    novel_classes: int = 0

    @property
    def labelled_labels(self) -> tuple[int, ...]:
        """Labels of the new classes that come with labelled samples."""
        return self.new_labels[: len(self.new_labels) - self.novel_classes]

    @property
    def novel_labels(self) -> tuple[int, ...]:
        """Labels of the new classes that are to be discovered."""
        return self.new_labels[len(self.new_labels) - self.novel_classes :]


@dataclass(frozen=True)
class StreamInfo:
    """Facts about a stream.

    Attributes:
        kind: the stream kind of the scenario, such as `few_shot_class_incremental`.
        dataset: name of the data set.
        protocol: in the field's notation, such as `B60-Inc5` or `60 + 8x5-way 5-shot`.
        experiences: one record per experience.
        class_ids: the data set's own class id of each label, so `class_ids[label]`.
        class_names: a readable name of each label.
        groups: names of the classes of experience 0 and of all later ones: `("base", "novel")`
            for few-shot and class-incremental streams, `("old", "new")` for discovery.
        digest: hash over class order and split.
        number_of_classes: how strategies learn how many classes there are to discover:
            `given`, `estimate`, or `over` with a factor.
    """

    kind: str
    dataset: str
    protocol: str
    experiences: tuple[ExperienceInfo, ...]
    class_ids: tuple[int, ...]
    class_names: tuple[str, ...]
    groups: tuple[str, str]
    digest: str
    number_of_classes: str = "given"

    @property
    def base_labels(self) -> tuple[int, ...]:
        """The labelled classes of experience 0: the base, or the old classes of discovery."""
        return self.experiences[0].labelled_labels

    @property
    def discovery(self) -> bool:
        """Whether some experience has unlabelled samples, so that predictions are matched."""
        return any(experience.unlabelled for experience in self.experiences)

    @property
    def repeats_classes(self) -> bool:
        """Whether later experiences bring no class, only more samples of those of experience 0."""
        later = self.experiences[1:]
        return bool(later) and not any(experience.new_labels for experience in later)

    @property
    def one_test_part(self) -> bool:
        """Whether all test samples belong to experience 0, and serve after every experience."""
        later = self.experiences[1:]
        return bool(later) and not any(experience.test for experience in later)

    @property
    def experience_of_label(self) -> IntArray:
        """(K,) the experience that introduced each label."""
        owner = np.empty(len(self.class_ids), dtype=np.int64)
        for experience in self.experiences:
            owner[list(experience.new_labels)] = experience.index
        return owner
