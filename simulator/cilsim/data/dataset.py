"""A data set in memory (or memory-mapped), and the facts about it that need no loading."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cilsim.data.row_encoder import RowEncoder
from cilsim.errors import DataError
from cilsim.records import IntArray


@dataclass(frozen=True)
class DataFacts:
    """What a stream can be planned from without reading an image.

    Attributes:
        class_ids: the data set's own class ids, ascending.
        class_names: a readable name of each, in the same order.
        y_train: (N,) class id of every training sample, in the data set's order.
        y_test: (N,) class id of every test sample.
        sample_shape: what a backbone gets: (C, H, W) of an image, after the crop if its data set
            has one, or (D,) of a feature vector.
        domain_train: (N,) position in `domain_names` of the domain of every training sample, or
            None where the data set has no domains.
        domain_test: (N,) likewise of every test sample; domains of the two parts may differ.
        domain_names: what a scenario calls the domains, such as sessions or drawing styles.
        stored_shape: of an image as it is stored, where a crop makes it smaller; None if not.
    """

    class_ids: tuple[int, ...]
    class_names: tuple[str, ...]
    y_train: IntArray
    y_test: IntArray
    sample_shape: tuple[int, ...]
    domain_train: IntArray | None = None
    domain_test: IntArray | None = None
    domain_names: tuple[str, ...] = ()
    stored_shape: tuple[int, ...] | None = None

    @property
    def sample_bytes(self) -> int:
        """Bytes of a sample as it is stored: float32 features or a uint8 image."""
        return math.prod(self.stored_shape or self.sample_shape) * (4 if self.features else 1)

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
        crop: side in pixels of the square that is cut out of the centre of an image for testing,
            and to which training crops; None takes images whole.
        skipped: files that are left out because they are no images, each with the reason.
        row_encoder: of rows of a table, how further rows become features; else None.

    Raises:
        DataError: the crop does not fit the images or the facts.
    """

    name: str
    facts: DataFacts
    x_train: NDArray[np.uint8] | NDArray[np.float32]
    x_test: NDArray[np.uint8] | NDArray[np.float32]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    digest: str
    crop: int | None = None
    skipped: tuple[str, ...] = ()
    row_encoder: RowEncoder | None = None

    def __post_init__(self) -> None:
        if self.crop is None:
            return
        channels, *sides = (*self.x_train.shape[1:], 0, 0)[:3]
        if not 0 < self.crop <= min(sides):
            raise DataError(
                f"data set '{self.name}': a crop of {self.crop} pixels was found for samples of "
                f"shape {self.x_train.shape[1:]} - expected images of at least that size"
            )
        if self.facts.sample_shape != (channels, self.crop, self.crop):
            raise DataError(
                f"data set '{self.name}': its facts give samples of shape "
                f"{self.facts.sample_shape} - expected {(channels, self.crop, self.crop)}, what "
                "the crop leaves"
            )
