"""What can be said of a data set before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cilsim.data.dataset import DataFacts
from cilsim.errors import DataError


@dataclass(frozen=True)
class Survey:
    """Classes and how many samples they have.

    Attributes:
        class_ids: the data set's own ids.
        class_names: a readable name of each.
        train: number of training samples of each.
        test: number of test samples of each.
        features: whether samples are feature vectors rather than images.
        side: of the images in pixels; 0 for features.
    """

    class_ids: tuple[int, ...]
    class_names: tuple[str, ...]
    train: tuple[int, ...]
    test: tuple[int, ...]
    features: bool
    side: int

    @property
    def imbalance(self) -> float:
        """Training samples of the largest class for one of the smallest."""
        return max(self.train) / min(self.train)

    def described(self) -> str:
        """Return the survey as one line."""
        kind = "vectors" if self.features else f"images of {self.side} pixels"
        spread = f"{min(self.train)} to {max(self.train)}"
        return (
            f"{len(self.class_ids)} classes, {sum(self.train)} {kind} for training and "
            f"{sum(self.test)} for testing; {spread} per class, imbalance {self.imbalance:.1f}"
        )


def survey(facts: DataFacts, name: str) -> Survey:
    """Return what can be said of a data set.

    Raises:
        DataError: there are fewer than two classes, or a class has no training sample.
    """
    train, test = (
        tuple(int((labels == class_id).sum()) for class_id in facts.class_ids)
        for labels in (np.asarray(facts.y_train), np.asarray(facts.y_test))
    )
    if len(facts.class_ids) < 2:
        raise DataError(f"{name}: {len(facts.class_ids)} class was found - expected at least two")
    if 0 in train:
        empty = facts.class_names[train.index(0)]
        raise DataError(f"{name}: class '{empty}' has no training sample - expected at least one")
    side = 0 if facts.features else facts.sample_shape[-1]
    return Survey(facts.class_ids, facts.class_names, train, test, facts.features, side)
