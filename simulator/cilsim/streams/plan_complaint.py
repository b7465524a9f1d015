"""What is wrong with the plan that a plugin's stream kind makes, before a sample is read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from cilsim.data.dataset import DataFacts
from cilsim.scenario.facts_complaint import array_complaint
from cilsim.streams.plan import ExperiencePlan, StreamPlan, labels_of


def plan_complaint(plan: StreamPlan, facts: DataFacts) -> str:
    """Return what is wrong with a plan for a data set, or nothing."""
    return next(_complaints(plan, facts), "")


def _complaints(plan: StreamPlan, facts: DataFacts) -> Iterator[str]:
    order = plan.class_order
    if len(set(order)) < len(order) or not set(order) <= set(facts.class_ids):
        yield "class_order has a class id twice, or one that the data set does not have"
    for place, experience in enumerate(plan.experiences):
        if not isinstance(experience, ExperiencePlan):
            found = type(experience).__name__
            yield f"experience {place} is a value of type '{found}', expected an ExperiencePlan"
        if experience.index != place:
            yield f"experience {place} has index {experience.index}, expected {place}"
    labels = list(chain.from_iterable(one.new_labels for one in plan.experiences))
    if labels != list(range(len(order))) or not labels:
        yield (
            f"new_labels of all experiences are {labels[:20]}, expected 0 to {len(order) - 1} "
            "in this order, once each: label k is the k-th class of class_order"
        )
    for experience in plan.experiences:
        yield from _of_experience(experience, plan, facts)


def _of_experience(experience: ExperiencePlan, plan: StreamPlan, facts: DataFacts) -> Iterator[str]:
    where = f"experience {experience.index}: "
    seen = sum(len(one.new_labels) for one in plan.experiences[: experience.index + 1])
    for name, y in (
        ("labelled", facts.y_train),
        ("unlabelled", facts.y_train),
        ("test", facts.y_test),
    ):
        positions = getattr(experience, name)
        yield from (f"{where}{said}" for said in [array_complaint(name, positions)] if said)
        if len(positions) and not 0 <= positions.min() <= positions.max() < len(y):
            yield f"{where}{name} has positions beyond the {len(y)} samples of its part"
        labels = labels_of(y[positions], plan.class_order)
        if len(labels) and not 0 <= labels.min() <= labels.max() < seen:
            yield f"{where}{name} has samples of classes that have not come; {seen} have"
    if not len(experience.labelled) + len(experience.unlabelled):
        yield f"{where}there is no sample to learn from"
    if np.intersect1d(experience.labelled, experience.unlabelled).size:
        yield f"{where}samples are both labelled and unlabelled"
    if experience.index == 0 and not len(experience.test):
        yield f"{where}there is no test sample"
