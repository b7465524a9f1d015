"""A stream with fewer samples of the same classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cilsim.data.dataset import DataFacts
from cilsim.records import IntArray
from cilsim.streams.plan import ExperiencePlan, StreamPlan

BATCHES = 2
"""Batches of training samples that an experience keeps, where it has more."""

PER_CLASS = 8
"""Samples of a class that are kept in any case, for methods that need some of each."""


def thinned(plan: StreamPlan, facts: DataFacts, batches: tuple[int, int]) -> StreamPlan:
    """Return a plan of the same classes with at most some batches of samples per part.

    Args:
        plan: the plan of the whole stream.
        facts: which class each sample is of.
        batches: sizes of a batch, of the base experience and of later ones.
    """

    def thin(experience: ExperiencePlan) -> ExperiencePlan:
        most = BATCHES * batches[min(experience.index, 1)]
        return replace(
            experience,
            labelled=_some(experience.labelled, facts.y_train, most),
            unlabelled=_some(experience.unlabelled, facts.y_train, most),
            test=_some(experience.test, facts.y_test, most),
        )

    return replace(plan, experiences=tuple(map(thin, plan.experiences)))


def sizes_of(plan: StreamPlan) -> Sequence[tuple[int, int]]:
    """Return (training samples, test samples of all classes seen) of each experience."""
    train = [len(one.labelled) + len(one.unlabelled) for one in plan.experiences]
    test = np.cumsum([len(one.test) for one in plan.experiences]).tolist()
    return list(zip(train, test, strict=True))


def _some(index: IntArray, class_ids: IntArray, most: int) -> IntArray:
    """Return `most` positions in their order, the same share of each class, at least a few."""
    if len(index) <= most:
        return index
    kept: list[IntArray] = []
    labels = class_ids[index]
    for class_id in np.unique(labels):
        places = np.flatnonzero(labels == class_id)
        count = max(round(len(places) * most / len(index)), min(PER_CLASS, len(places)))
        kept.append(places[np.linspace(0, len(places) - 1, count).astype(np.int64)])
    return index[np.sort(np.concatenate(kept))]
