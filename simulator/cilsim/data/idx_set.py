"""A data set of grey images made of four IDX files.

Axis letters: N images, H W pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.digest import dataset_digest
from cilsim.data.idx_file import read_idx
from cilsim.data.moments import channel_moments
from cilsim.errors import DataError
from cilsim.records import IntArray

SIDE = 28

Read = Callable[[str], bytes]
"""Returns the content of a file, which may be compressed by gzip, by its name."""


@dataclass(frozen=True)
class IdxSet:
    """What the files hold.

    Attributes:
        name: of the data set, as in a scenario.
        files: names of training images, training labels, test images and test labels.
        class_names: in the order of the labels.
        first_label: of the first class.
        transposed: whether images are stored column after column, as those of EMNIST.
    """

    name: str
    files: tuple[str, str, str, str]
    class_names: tuple[str, ...]
    first_label: int = 0
    transposed: bool = False

    @property
    def where(self) -> str:
        """What errors begin with."""
        return f"data set '{self.name}'"


def idx_facts(layout: IdxSet, read: Read) -> DataFacts:
    """Return what the two files of labels say."""
    _, train, _, test = layout.files
    return DataFacts(
        class_ids=tuple(range(len(layout.class_names))),
        class_names=layout.class_names,
        y_train=_labels(layout, train, read(train)),
        y_test=_labels(layout, test, read(test)),
        sample_shape=(1, SIDE, SIDE),
    )


def idx_dataset(layout: IdxSet, read: Read) -> DataSet:
    """Return images and labels in the order of the files, normalised by the training images."""
    train, _, test, _ = layout.files
    facts = idx_facts(layout, read)
    x_train = _images(layout, train, read(train), len(facts.y_train))
    x_test = _images(layout, test, read(test), len(facts.y_test))
    digest = dataset_digest(x_train, facts.y_train, x_test, facts.y_test)
    return DataSet(layout.name, facts, x_train, x_test, *channel_moments(x_train), digest)


def _labels(layout: IdxSet, name: str, content: bytes) -> IntArray:
    """Return (N,) class ids from 0."""
    stored_N = read_idx(layout.where, name, content, 1).astype(np.int64)
    last = layout.first_label + len(layout.class_names) - 1
    if ((stored_N < layout.first_label) | (stored_N > last)).any():
        raise DataError(
            f"{layout.where}: '{name}' has labels from {stored_N.min()} to {stored_N.max()} - "
            f"expected {layout.first_label} to {last}; fetch it again"
        )
    return stored_N - layout.first_label


def _images(layout: IdxSet, name: str, content: bytes, count: int) -> NDArray[np.uint8]:
    """Return (N, 1, H, W)."""
    stored_NHW = read_idx(layout.where, name, content, 3)
    if stored_NHW.shape != (count, SIDE, SIDE):
        raise DataError(
            f"{layout.where}: '{name}' has images of shape {stored_NHW.shape} - expected "
            f"{(count, SIDE, SIDE)}, one for each label; fetch it again"
        )
    if layout.transposed:
        stored_NHW = stored_NHW.transpose(0, 2, 1)
    return np.ascontiguousarray(stored_NHW[:, None])
