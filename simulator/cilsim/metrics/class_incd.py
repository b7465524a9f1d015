"""Metric set of class-incremental novel class discovery (Roy et al. 2022), from stored results.

Outputs of labelled classes stand for themselves. What the others stand for is matched once per
stage, on what the strategy said to the unlabelled samples that it had just learnt from; test
predictions are then compared directly. `joint_head` has the definitions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cilsim.metrics.accuracy import NAN
from cilsim.metrics.evaluate import EvaluatedValues
from cilsim.metrics.few_shot import harmonic_mean
from cilsim.metrics.joint_head import (
    joint_head_accuracy,
    joint_head_steps,
    novel_head_assignment,
)
from cilsim.records import ExperienceInfo, Predictions, StreamInfo

Values = dict[str, float]
Unlabelled = Sequence[Predictions | None]


def class_incd(
    result: EvaluatedValues,
    history: Sequence[Predictions],
    stream: StreamInfo,
    unlabelled: Unlabelled,
) -> Values:
    """Return All, Old, New and their harmonic mean; after several stages also each stage's New.

    `all_by_class` is the mean over stages weighted by numbers of classes, as in the tables of two
    stages. Without the predictions of a stage's unlabelled samples all values are NaN.

    Args:
        result: not used.
        history: predictions of test samples after each experience.
        stream: facts about the stream.
        unlabelled: predictions of the unlabelled samples of each experience, as given just after
            it; None where there are none.
    """
    last, so_far = history[-1], stream.experiences[: len(history)]
    old_classes = len(stream.base_labels)
    steps = [stream.base_labels, *(info.novel_labels for info in so_far if info.novel_classes)]
    named = _named_outputs(so_far, unlabelled, stream)
    if named is None:
        return dict.fromkeys(("all", "old", "new", "hm"), NAN)
    assignment = {output - old_classes: label for output, label in named.items()}
    found = joint_head_accuracy(last.label, last.predicted, assignment, old_classes)
    values = {**found._asdict(), "hm": harmonic_mean(found.old, found.new)}
    if len(steps) > 2:
        by_step = joint_head_steps(last.label, last.predicted, assignment, steps)
        values["all_by_class"] = by_step.all
        values |= {f"new_{place}": new for place, new in enumerate(by_step.by_step) if place}
    return values


def _named_outputs(
    so_far: Sequence[ExperienceInfo], unlabelled: Unlabelled, stream: StreamInfo
) -> dict[int, int] | None:
    """Return the label of each output that is not of the base, None if that is not stored."""
    named: dict[int, int] = {}
    first = len(stream.base_labels)
    given = stream.number_of_classes == "given"
    for info in so_far:
        if given:  # so it is known which outputs are new in a stage
            first = info.seen - info.novel_classes
            labelled = info.labelled_labels if info.index else ()
            named |= {label: label for label in labelled}
        if not info.novel_classes:
            continue
        predicted = unlabelled[info.index] if info.index < len(unlabelled) else None
        if predicted is None:
            return None
        clusters = info.novel_classes if given else 0
        found = _assignment(predicted, info, first, clusters)
        named |= {first + cluster: label for cluster, label in found.items()}
        first = max(first, 1 + int(predicted.predicted.max(initial=-1)))
    return named


def _assignment(
    predicted: Predictions, info: ExperienceInfo, first: int, clusters: int
) -> dict[int, int]:
    """Return the label of each new cluster of a stage, counted from the first."""
    mine = np.isin(predicted.label, info.novel_labels) & (predicted.predicted >= first)
    return novel_head_assignment(
        predicted.label[mine], predicted.predicted[mine] - first, clusters, info.novel_labels
    )
