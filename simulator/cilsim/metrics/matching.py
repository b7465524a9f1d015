"""Matching clusters to classes one to one.

Axis letters: N samples, C clusters, L classes present.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from cilsim.metrics.accuracy import check_pair
from cilsim.records import IntArray
from cilsim.solvers.assignment import match_clusters

UNMATCHED = -1
"""The label of a cluster that no class is left for."""


class Contingency(NamedTuple):
    """Counts of samples by cluster and class.

    Attributes:
        counts: (C, L) samples of each cluster and class.
        clusters: (C,) the cluster ids present, ascending.
        labels: (L,) the labels present, ascending.
    """

    counts: IntArray
    clusters: IntArray
    labels: IntArray


def contingency(label: IntArray, predicted: IntArray) -> Contingency:
    """Return how the samples of each predicted cluster spread over the true classes.

    Args:
        label: (N,) true labels.
        predicted: (N,) cluster ids, any integers.
    """
    check_pair(label, predicted)
    clusters, row = np.unique(predicted, return_inverse=True)
    labels, column = np.unique(label, return_inverse=True)
    shape = (clusters.size, labels.size)
    counts = np.bincount(row * labels.size + column, minlength=shape[0] * shape[1])
    return Contingency(counts.reshape(shape), clusters, labels)


def hungarian_match(label: IntArray, predicted: IntArray) -> dict[int, int]:
    """Return the label of each cluster under the one-to-one matching with most samples right.

    Kuhn 1955. With more clusters than classes some clusters are absent from the result, with
    fewer some classes stay unmatched. The number of matched samples is unique. Between equally
    good matchings the one that leaves lower labels more samples is taken, so that ties, which
    other code leaves to the solver, never depend on cluster ids.

    Args:
        label: (N,) true labels.
        predicted: (N,) cluster ids.
    """
    counts, clusters, labels = contingency(label, predicted)
    lower_first = np.arange(labels.size, 0, -1)
    column = match_clusters(counts * (label.size * labels.size + lower_first))
    matched = column >= 0
    return dict(zip(clusters[matched].tolist(), labels[column[matched]].tolist(), strict=True))


def relabel(predicted: IntArray, match: Mapping[int, int]) -> IntArray:
    """Return (N,) the label that each cluster id is matched to, `UNMATCHED` where there is none."""
    clusters, row = np.unique(predicted, return_inverse=True)
    names = [match.get(cluster, UNMATCHED) for cluster in clusters.tolist()]
    return np.asarray(names, dtype=np.int64)[row]
