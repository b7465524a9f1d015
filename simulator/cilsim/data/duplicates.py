"""Samples of equal content: within the parts of a data set, and across them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cilsim.data.dataset import DataSet

SHOWN = 10
"""Most pairs that are kept as examples."""


@dataclass(frozen=True)
class Duplicates:
    """How many samples are there more than once.

    Attributes:
        train: training samples that equal one before them.
        test: test samples that equal one before them.
        across: test samples that equal a training sample.
        conflicting: samples, of both parts, that equal one of another class.
        pairs: positions (test sample, first equal training sample), the first few.
    """

    train: int
    test: int
    across: int
    conflicting: int
    pairs: tuple[tuple[int, int], ...]


def duplicates(dataset: DataSet) -> Duplicates:
    """Return how many samples are equal, to the bit, as a backbone gets them.

    Hashes of 16 bytes are compared, so that samples may stay on disk.
    """
    train, test = (_hashes(rows) for rows in (dataset.x_train, dataset.x_test))
    first = {content: row for row, content in reversed(list(enumerate(train)))}
    across = [(row, first[content]) for row, content in enumerate(test) if content in first]
    classes = np.concatenate([dataset.facts.y_train, dataset.facts.y_test]).tolist()
    classes_of: dict[bytes, set[int]] = {}
    for content, class_id in zip((*train, *test), classes, strict=True):
        classes_of.setdefault(content, set()).add(class_id)
    return Duplicates(
        train=len(train) - len(first),
        test=len(test) - len(set(test)),
        across=len(across),
        conflicting=sum(len(classes_of[content]) > 1 for content in (*train, *test)),
        pairs=tuple(across[:SHOWN]),
    )


def _hashes(rows: NDArray[Any]) -> list[bytes]:
    return [blake2b(np.ascontiguousarray(row).data, digest_size=16).digest() for row in rows]
