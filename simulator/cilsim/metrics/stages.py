"""Continual discovery: Old and New at each stage, and what the stages come to.

"Hard": Old are the classes of stage 0, New all found since. "Soft": Old ("seen") are all classes of
earlier stages, New ("unseen") those of this stage. The papers' tables are soft. One matching over
all samples serves both, so All is the same. Axis letter: N samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cilsim.metrics.accuracy import NAN, accuracy
from cilsim.metrics.clustering import MatchedAccuracy
from cilsim.metrics.matching import hungarian_match, relabel
from cilsim.records import IntArray


class StageAccuracy(NamedTuple):
    """Accuracies after one stage under one matching; NaN where there are no samples."""

    all: float
    old_hard: float
    new_hard: float
    old_soft: float
    new_soft: float

    @property
    def hard(self) -> MatchedAccuracy:
        """All, Old, New with the classes of stage 0 as Old."""
        return MatchedAccuracy(self.all, self.old_hard, self.new_hard)

    @property
    def soft(self) -> MatchedAccuracy:
        """All, Old, New with the classes of this stage as New."""
        return MatchedAccuracy(self.all, self.old_soft, self.new_soft)

    @property
    def seen(self) -> float:
        """Accuracy on the classes known before this stage: another name of `old_soft`."""
        return self.old_soft

    @property
    def unseen(self) -> float:
        """Accuracy on the classes of this stage: another name of `new_soft`."""
        return self.new_soft


class CourseSummary(NamedTuple):
    """What the stages come to: `forgetting` is M_f, lower is better; `discovery` is M_d."""

    forgetting: float
    discovery: float


def stage_accuracy(
    label: IntArray,
    predicted: IntArray,
    base_labels: Sequence[int],
    new_labels: Sequence[int],
) -> StageAccuracy:
    """Return All, and Old and New both hard and soft, under the matching of `matched_accuracy`.

    Args:
        label: (N,) true labels.
        predicted: (N,) cluster ids.
        base_labels: the classes of stage 0.
        new_labels: the classes that this stage brought.
    """
    named = relabel(predicted, hungarian_match(label, predicted))
    return named_stage_accuracy(label, named, base_labels, new_labels)


def named_stage_accuracy(
    label: IntArray, named: IntArray, base_labels: Sequence[int], new_labels: Sequence[int]
) -> StageAccuracy:
    """Return `stage_accuracy` of predictions that are labels already, matched or not.

    Args:
        label: (N,) true labels.
        named: (N,) predicted labels.
        base_labels: as in `stage_accuracy`.
        new_labels: as in `stage_accuracy`.
    """
    base, new = np.isin(label, base_labels), np.isin(label, new_labels)
    parts = (base, ~base, ~new, new)
    return StageAccuracy(
        accuracy(label, named), *(accuracy(label[part], named[part]) for part in parts)
    )


def happy_summary(initial: float, stages: Sequence[StageAccuracy]) -> CourseSummary:
    """Return M_f = max over t of A0 - Old_hard(t) and M_d = mean over t of New_soft(t).

    The definitions of Ma et al. 2024 (Happy). Negative forgetting is possible: A0 is not among
    what is compared.

    Args:
        initial: A0, the accuracy on the classes of stage 0 before any further stage.
        stages: the accuracies after stages 1..T, in order; NaN without any.
    """
    if not stages:
        return CourseSummary(NAN, NAN)
    return CourseSummary(
        forgetting=initial - min(stage.old_hard for stage in stages),
        discovery=sum(stage.new_soft for stage in stages) / len(stages),
    )


def grow_and_merge_summary(initial: float, stages: Sequence[StageAccuracy]) -> CourseSummary:
    """Return M_f = max over t of A0 - Old_soft(t) and M_d = New_soft(T), of the last stage alone.

    The older definitions of Zhang et al. 2022 (Grow and Merge), not comparable with Happy's.

    Args:
        initial: A0, as in `happy_summary`.
        stages: as in `happy_summary`.
    """
    if not stages:
        return CourseSummary(NAN, NAN)
    return CourseSummary(
        forgetting=initial - min(stage.old_soft for stage in stages),
        discovery=stages[-1].new_soft,
    )
