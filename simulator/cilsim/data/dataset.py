"""A data set in memory (or memory-mapped), and the facts about it that need no loading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cilsim.records import IntArray


@dataclass(frozen=True)
class DataFacts:
    """What a stream can be planned from without reading an image.

    Attributes:
        class_ids: the data set's own class ids, ascending.
        class_names: a readable name of each, in the same order.
        y_train: (N,) class id of every training sample, in the data set's order.
        y_test: (N,) class id of every test sample.
        sample_shape: (C, H, W) of an image or (D,) of a feature vector.
    """

    class_ids: tuple[int, ...]
    class_names: tuple[str, ...]
    y_train: IntArray
    y_test: IntArray
    sample_shape: tuple[int, ...]

    @property
    def features(self) -> bool:
        """Whether samples are ready features rather than images."""
        return len(self.sample_shape) == 1


@dataclass(frozen=True)
class DataSet:
    """Samples and class ids.

    Attributes:
        name: as in the scenario.
        facts: classes, class ids of all samples, shapes.
        x_train: uint8 (N, C, H, W) images, possibly memory-mapped, or float32 (N, D) features.
        x_test: likewise.
        mean: per channel in [0, 1], for normalisation; empty for features.
        std: likewise.
        digest: SHA-256 over all samples and class ids, as hexadecimal text.
    """

    name: str
    facts: DataFacts
    x_train: NDArray[np.uint8] | NDArray[np.float32]
    x_test: NDArray[np.uint8] | NDArray[np.float32]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    digest: str
