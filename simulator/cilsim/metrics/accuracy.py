"""Accuracies from true and predicted labels.

Axis letters: N samples, K classes, T experiences. An accuracy of no samples is NaN.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence

import numpy as np

from cilsim.records import FloatArray, IntArray

NAN = float("nan")

SPARSE = 16
"""Cells of a confusion matrix per sample above which only those that count anything are touched."""


def accuracy(label: IntArray, predicted: IntArray) -> float:
    """Return the share of samples predicted right: every sample counts the same (micro).

    Args:
        label: (N,) true labels.
        predicted: (N,) predicted labels.
    """
    check_pair(label, predicted)
    return float(np.mean(label == predicted)) if label.size else NAN


def macro_accuracy(label: IntArray, predicted: IntArray, classes: Sequence[int]) -> float:
    """Return the mean recall of `classes`: every class counts the same (macro).

    Equal to `accuracy` where classes have equally many samples. This is what few-shot papers call
    base and novel accuracy (Zhou et al. 2022, FACT). A class without samples is left out.

    Args:
        label: (N,) true labels.
        predicted: (N,) predicted labels.
        classes: the labels to average over; samples of others are ignored.
    """
    check_pair(label, predicted)
    wanted = np.unique(np.asarray(classes, dtype=np.int64))
    place = np.searchsorted(wanted, label)
    inside = place < wanted.size
    inside[inside] = wanted[place[inside]] == label[inside]
    totals = np.bincount(place[inside], minlength=wanted.size)
    hits = np.bincount(place[inside & (label == predicted)], minlength=wanted.size)
    present = totals > 0
    return float(np.mean(hits[present] / totals[present])) if present.any() else NAN


def accuracy_matrix_row(
    label: IntArray, predicted: IntArray, experience_of_sample: IntArray, experiences: int
) -> FloatArray:
    """Return (T,) the accuracy on the test part of each experience; NaN where nothing is tested.

    Row i of the accuracy matrix R of Lopez-Paz and Ranzato 2017, with one classifier over all
    classes seen: no task id is given at test time.

    Args:
        label: (N,) true labels.
        predicted: (N,) predicted labels.
        experience_of_sample: (N,) the experience to whose test part each sample belongs.
        experiences: T, the number of experiences of the stream.
    """
    check_pair(label, predicted)
    check_pair(label, experience_of_sample)
    right = experience_of_sample[label == predicted]
    totals = np.bincount(experience_of_sample, minlength=experiences)
    hits = np.bincount(right, minlength=experiences)
    row = np.full(experiences, NAN)
    tested = totals > 0
    row[tested] = hits[tested] / totals[tested]
    return row


def confusion(label: IntArray, predicted: IntArray, classes: int) -> IntArray:
    """Return (K, K) counts; rows are true labels, columns are predictions.

    Predictions outside 0..K-1, such as clusters that match no class (-1), are counted nowhere, so
    a row can sum to less than the number of its samples.

    Args:
        label: (N,) true labels in 0..K-1.
        predicted: (N,) predicted labels.
        classes: K.

    Raises:
        ValueError: a true label is outside 0..K-1.
    """
    check_pair(label, predicted)
    if label.size and (label.min() < 0 or label.max() >= classes):
        raise ValueError(
            f"true labels run from {label.min()} to {label.max()}; expected 0 to {classes - 1}"
        )
    inside = (predicted >= 0) & (predicted < classes)
    cells = label[inside] * classes + predicted[inside]
    if classes * classes <= SPARSE * len(label):
        return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)
    counts = _untouched_zeros(classes * classes)
    np.add.at(counts, cells, 1)
    return counts.reshape(classes, classes)


def _untouched_zeros(cells: int) -> IntArray:
    """Return zeros that take memory only where somebody writes, by pages of a few KiB.

    `np.zeros` asks the system for pages of 2 MiB where it can, and scattered counts touch all.
    """
    return np.frombuffer(mmap.mmap(-1, 8 * cells, access=mmap.ACCESS_COPY), dtype=np.int64)


def check_pair(label: IntArray, predicted: IntArray) -> None:
    """Check that every sample has one label and one prediction.

    Raises:
        ValueError: the arrays differ in shape or are not vectors.
    """
    if label.ndim != 1 or label.shape != predicted.shape:
        raise ValueError(
            f"labels have shape {label.shape} and predictions {predicted.shape}; "
            "expected two vectors of equal length"
        )
