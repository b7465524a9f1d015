"""What a strategy receives. Test samples, future classes and hidden labels are absent.

Axis letters: N samples, D features.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cilsim.data.samples import Samples, joined


@dataclass(frozen=True)
class Experience:
    """One increment of the stream.

    Attributes:
        index: position in the stream, 0 is the base.
        train: labelled samples, or None where a stage has none.
        unlabelled: samples whose labels are hidden, or None.
        new_classes: how many classes appear here with labels; how many others there are to
            discover says `context.novel_classes`.
        seen_classes: how many classes are known: those told apart before, and these.
    """

    index: int
    train: Samples | None
    unlabelled: Samples | None
    new_classes: int
    seen_classes: int

    @property
    def old_classes(self) -> int:
        """How many classes were told apart before this experience."""
        return self.seen_classes - self.new_classes

    @property
    def new_labels(self) -> range:
        """Labels of the new classes: the places after all classes told apart before."""
        return range(self.old_classes, self.seen_classes)

    @property
    def everything(self) -> Samples:
        """All samples, those without a label after the others; their label is `NO_LABEL`."""
        return joined(self.train, self.unlabelled)

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
        seen_classes: how many classes the strategy tells apart.
        name: which set: `test`, or `unlabelled` for the unlabelled samples just learnt.
    """

    features: Tensor
    seen_classes: int
    name: str
