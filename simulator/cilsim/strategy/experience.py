"""What a strategy receives. Test samples, future classes and hidden labels are absent.

Axis letters: N samples, D features.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cilsim.data.samples import Samples


@dataclass(frozen=True)
class Experience:
    """One increment of the stream.

    Attributes:
        index: position in the stream, 0 is the base.
        train: labelled samples, or None where a stage has none.
        unlabelled: samples whose labels are hidden, or None.
        new_classes: how many classes appear here.
        seen_classes: how many classes were seen up to and including this experience.
    """

    index: int
    train: Samples | None
    unlabelled: Samples | None
    new_classes: int
    seen_classes: int

    @property
    def old_classes(self) -> int:
        """How many classes earlier experiences brought."""
        return self.seen_classes - self.new_classes

    @property
    def new_labels(self) -> range:
        """Labels of the new classes: positions in stream order."""
        return range(self.old_classes, self.seen_classes)

    @property
    def labelled(self) -> Samples:
        """The labelled samples.

        Raises:
            ValueError: this experience has none.
        """
        if self.train is None:
            raise ValueError(f"experience {self.index} has no labelled samples")
        return self.train


@dataclass(frozen=True)
class FeatureSet:
    """A whole set to be assigned to clusters, without labels.

    Attributes:
        features: (N, D) features on the device.
        seen_classes: how many classes the set can contain.
        name: which set: `test` or `unlabelled`.
    """

    features: Tensor
    seen_classes: int
    name: str
