"""Clusterings against classes: accuracy after matching, and measures that need none.

Cluster ids are names only: any renaming leaves every value as it is. Axis letter: N samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cilsim.metrics.accuracy import NAN, accuracy, check_pair, macro_accuracy
from cilsim.metrics.matching import contingency, hungarian_match, relabel
from cilsim.records import FloatArray, IntArray

__all__ = [
    "MatchedAccuracy",
    "ari",
    "balanced_matched_accuracy",
    "cluster_accuracy",
    "hungarian_match",
    "matched_accuracy",
    "nmi",
    "purity",
    "split_matched_accuracy",
]


class MatchedAccuracy(NamedTuple):
    """Accuracy over all samples, over those of old classes and of new ones; NaN where empty."""

    all: float
    old: float
    new: float


def cluster_accuracy(label: IntArray, predicted: IntArray) -> float:
    """Return the share of samples right under the best one-to-one matching; NaN without samples.

    Clusters beyond the number of classes stay unmatched and their samples count as errors, so
    finding too many clusters is punished.

    Args:
        label: (N,) true labels.
        predicted: (N,) cluster ids.
    """
    return accuracy(label, relabel(predicted, hungarian_match(label, predicted)))


def matched_accuracy(
    label: IntArray, predicted: IntArray, old_labels: Sequence[int]
) -> MatchedAccuracy:
    """Return All/Old/New accuracy under one matching over all samples ("v2").

    The evaluation of Vaze et al. 2022 (GCD) that SimGCD, Happy and all later tables use. Old
    means that the class is old, not that the sample was labelled; samples of old classes are
    matched too, so permuting two old classes costs nothing.

    Args:
        label: (N,) true labels.
        predicted: (N,) cluster ids.
        old_labels: the classes that count as old.
    """
    named = relabel(predicted, hungarian_match(label, predicted))
    old = np.isin(label, old_labels)
    return _by_group(label, named, old)


def split_matched_accuracy(
    label: IntArray, predicted: IntArray, old_labels: Sequence[int]
) -> MatchedAccuracy:
    """Return All/Old/New accuracy under separate matchings of old and new samples ("v1").

    The older evaluation of novel class discovery. A cluster may serve one old and one new class,
    so merging them goes unpunished: All is never below that of `matched_accuracy`, and New can be
    tens of points above. Only to compare with old tables.

    Args:
        label: (N,) true labels.
        predicted: (N,) cluster ids.
        old_labels: the classes that count as old.
    """
    check_pair(label, predicted)
    old = np.isin(label, old_labels)
    named = np.empty_like(predicted)
    for part in (old, ~old):
        named[part] = relabel(predicted[part], hungarian_match(label[part], predicted[part]))
    return _by_group(label, named, old)


def balanced_matched_accuracy(
    label: IntArray, predicted: IntArray, old_labels: Sequence[int]
) -> MatchedAccuracy:
    """Return All/Old/New as means of per-class recall under the matching of `matched_accuracy`.

    What SimGCD (Wen et al. 2023) reports for the long-tailed Herbarium19. The matching still
    maximises samples, not recall.

    Args:
        label: (N,) true labels.
        predicted: (N,) cluster ids.
        old_labels: the classes that count as old.
    """
    named = relabel(predicted, hungarian_match(label, predicted))
    present = np.unique(label)
    old = np.isin(present, old_labels)
    return MatchedAccuracy(
        all=macro_accuracy(label, named, present.tolist()),
        old=macro_accuracy(label, named, present[old].tolist()),
        new=macro_accuracy(label, named, present[~old].tolist()),
    )


def purity(label: IntArray, predicted: IntArray) -> float:
    """Return the share of samples that belong to the largest class of their cluster.

    No matching: several clusters may name the same class, so purity is at least the clustering
    accuracy and reaches 1 for clusters of one sample.
    """
    counts = contingency(label, predicted).counts
    return float(counts.max(axis=1).sum() / label.size) if label.size else NAN


def nmi(label: IntArray, predicted: IntArray) -> float:
    """Return the mutual information over the mean of both entropies, in [0, 1].

    Normalised mutual information with the arithmetic mean (Strehl and Ghosh 2002 use the
    geometric one). It does not correct for chance and rises with the number of clusters.

    Args:
        label: (N,) true labels.
        predicted: (N,) cluster ids.
    """
    counts = contingency(label, predicted).counts
    if counts.size == 0:
        return NAN
    joint = counts / counts.sum()
    by_cluster, by_class = joint.sum(axis=1), joint.sum(axis=0)
    entropies = _entropy(by_cluster) + _entropy(by_class)
    if entropies == 0:
        return 1.0
    information = entropies - _entropy(joint.ravel())
    return float(np.clip(2.0 * information / entropies, 0.0, 1.0))


def ari(label: IntArray, predicted: IntArray) -> float:
    """Return the adjusted Rand index: 1 for equal partitions, 0 on average for random ones.

    Hubert and Arabie 1985. Counts pairs of samples, so large classes dominate; can be negative.

    Args:
        label: (N,) true labels.
        predicted: (N,) cluster ids.
    """
    counts = contingency(label, predicted).counts
    if counts.size == 0:
        return NAN
    together = _pairs(counts)
    in_cluster, in_class = _pairs(counts.sum(axis=1)), _pairs(counts.sum(axis=0))
    samples = int(counts.sum())
    expected = in_cluster * in_class / max(samples * (samples - 1) / 2.0, 1.0)
    possible = (in_cluster + in_class) / 2.0
    return 1.0 if possible == expected else (together - expected) / (possible - expected)


def _entropy(shares: FloatArray) -> float:
    positive = np.sort(shares[shares > 0])  # sorted: renaming clusters must not change a bit
    return float(-(positive * np.log(positive)).sum())


def _pairs(counts: NDArray[np.int64]) -> float:
    return float((counts * (counts - 1)).sum()) / 2.0


def _by_group(label: IntArray, named: IntArray, old: NDArray[np.bool_]) -> MatchedAccuracy:
    """Return the accuracy of all samples, of those in `old`, and of the others."""
    return MatchedAccuracy(
        all=accuracy(label, named),
        old=accuracy(label[old], named[old]),
        new=accuracy(label[~old], named[~old]),
    )
