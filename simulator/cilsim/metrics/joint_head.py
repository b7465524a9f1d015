"""Class-incremental discovery: one joint head over old and novel classes, matched only once.

A head of its own finds the novel clusters on training data, which fixes what each cluster stands
for; the joint head is then compared directly on test data. Unlike under `matched_accuracy`, an
old class must be predicted as itself. Roy et al. 2022, "Class-incremental Novel Class Discovery"
(FRoST). Axis letter: N samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from cilsim.metrics.accuracy import NAN, accuracy
from cilsim.metrics.clustering import MatchedAccuracy
from cilsim.metrics.matching import UNMATCHED, hungarian_match, relabel
from cilsim.records import FloatArray, IntArray


class StepsAccuracy(NamedTuple):
    """Accuracy on the classes of each step, and their mean weighted by numbers of classes."""

    all: float
    by_step: tuple[float, ...]


def novel_head_assignment(
    label: IntArray, predicted: IntArray, clusters: int, new_labels: Sequence[int]
) -> dict[int, int]:
    """Return the label that each cluster of the novel head stands for.

    The one matching of the protocol, on the unlabelled training data. If a single cluster was
    never predicted and a single class is left, they belong together; any more stay unmatched,
    and their samples will be errors. The released script lets the order of ids decide there.

    Args:
        label: (N,) true labels of the novel training samples.
        predicted: (N,) outputs of the novel head, from 0.
        clusters: number of outputs of the novel head.
        new_labels: the labels of the novel classes.
    """
    assignment = hungarian_match(label, predicted)
    unused = sorted(set(range(clusters)) - set(assignment))
    left = sorted(set(new_labels) - set(assignment.values()))
    if len(unused) == len(left) == 1:
        assignment[unused[0]] = left[0]
    return assignment


def chain_assignments(
    assignments: Sequence[Mapping[int, int]], clusters: Sequence[int]
) -> dict[int, int]:
    """Return one assignment of the joint head's novel outputs from those of several steps.

    Args:
        assignments: cluster to label, of each step.
        clusters: number of clusters of each step; their outputs follow each other.
    """
    starts = np.cumsum([0, *clusters]).tolist()
    return {
        start + cluster: label
        for start, assignment in zip(starts, assignments, strict=False)
        for cluster, label in assignment.items()
    }


def joint_head_accuracy(
    label: IntArray, predicted: IntArray, assignment: Mapping[int, int], old_classes: int
) -> MatchedAccuracy:
    """Return All/Old/New accuracy of the joint head by direct comparison, without a matching.

    FRoST's harmonic mean is `few_shot.harmonic_mean(old, new)`.

    Args:
        label: (N,) true labels; the old ones are 0..old_classes-1.
        predicted: (N,) outputs of the joint head: old labels, then novel clusters.
        assignment: the label of novel cluster i, which is output old_classes + i; samples of a
            cluster that is absent count as errors.
        old_classes: number of labelled classes.
    """
    named = name_joint_outputs(predicted, assignment, old_classes)
    old = label < old_classes
    return MatchedAccuracy(
        all=accuracy(label, named),
        old=accuracy(label[old], named[old]),
        new=accuracy(label[~old], named[~old]),
    )


def joint_head_steps(
    label: IntArray,
    predicted: IntArray,
    assignment: Mapping[int, int],
    steps: Sequence[Sequence[int]],
) -> StepsAccuracy:
    """Return the joint head's accuracy on the classes of each step and FRoST's mean over them.

    All of the two-step tables is the mean of Old, New1 and New2 weighted by their numbers of
    classes, not a pooled accuracy. A step without samples is NaN and left out of the mean.

    Args:
        label: (N,) true labels.
        predicted: (N,) outputs of the joint head.
        assignment: the label of each novel cluster, of all steps; see `chain_assignments`.
        steps: the labels of each step; the first are the labelled classes 0, 1, ...
    """
    named = name_joint_outputs(predicted, assignment, len(steps[0]))
    inside = [np.isin(label, step) for step in steps]
    by_step = [accuracy(label[part], named[part]) for part in inside]
    sizes = np.asarray([len(step) for step in steps], dtype=np.float64)
    return StepsAccuracy(_weighted_mean(np.asarray(by_step), sizes), tuple(by_step))


def name_joint_outputs(
    predicted: IntArray, assignment: Mapping[int, int], old_classes: int
) -> IntArray:
    """Return (N,) the label that each joint output stands for, `UNMATCHED` where there is none.

    Args:
        predicted: (N,) outputs of the joint head.
        assignment: as in `joint_head_accuracy`.
        old_classes: as in `joint_head_accuracy`.

    Raises:
        ValueError: a cluster is assigned to an old class, or two to one class.
    """
    named = list(assignment.values())
    if len(set(named)) < len(named) or any(UNMATCHED < name < old_classes for name in named):
        raise ValueError(
            f"clusters are assigned to classes {sorted(named)}; expected different ones "
            f"from {old_classes} on"
        )
    novel = {old_classes + cluster: name for cluster, name in assignment.items()}
    return relabel(predicted, {**{name: name for name in range(old_classes)}, **novel})


def _weighted_mean(values: FloatArray, weights: FloatArray) -> float:
    measured = ~np.isnan(values)
    if not measured.any():
        return NAN
    return float(np.average(values[measured], weights=weights[measured]))
