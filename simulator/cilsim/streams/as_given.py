"""Experiences as the data set itself has them: its domains, one experience each.

A domain may bring new classes, more samples of classes that came before, or both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cilsim.data.dataset import DataFacts
from cilsim.errors import StreamError
from cilsim.options import Options
from cilsim.records import IntArray
from cilsim.streams.plan import NO_SAMPLES, ExperiencePlan, StreamPlan, labels_of

Problems = list[tuple[str, str]]
WITHOUT = "has no experiences of its own; use data set 'avalanche', or one with domains"


def as_given(options: Options, facts: DataFacts, order: tuple[int, ...], seed: int) -> StreamPlan:
    """Return the plan: experience i learns domain i, and is tested on the test part of domain i.

    Where the test parts do not follow the training parts one by one, or hold classes that have not
    come yet, test samples belong to the experience that brings their class; where that is the
    first for all of them, they serve throughout.

    Args:
        options: none.
        facts: of a data set with domains.
        order: class ids in stream order; it decides among classes of one experience.
        seed: the training seed changes nothing here.

    Raises:
        StreamError: the data set has no domains.
    """
    train, test = _domains(facts)
    first = _first_experience(facts.y_train, train)
    order = tuple(sorted((c for c in order if c in first), key=lambda class_id: first[class_id]))
    owners = np.array([first[class_id] for class_id in order], dtype=np.int64)
    labels = labels_of(facts.y_test, order)
    known = labels >= 0  # a class that is never trained is not in the stream
    owner_N = np.where(known, owners[labels], -1)
    own = _test_follows(test[known], owner_N[known], train)
    tested = np.where(known, test, -1) if own else owner_N
    experiences = tuple(
        ExperiencePlan(
            index=index,
            name=facts.domain_names[index],
            new_labels=tuple(np.flatnonzero(owners == index).tolist()),
            labelled=np.flatnonzero(train == index),
            unlabelled=NO_SAMPLES,
            test=np.flatnonzero(tested == index),
        )
        for index in range(int(train.max()) + 1)
    )
    return StreamPlan("avalanche", _protocol(experiences), order, experiences, ("base", "novel"))


def has_experiences(options: Options, facts: DataFacts) -> Problems:
    """Return a problem if the data set has no experiences of its own."""
    if facts.domain_train is None or facts.domain_test is None:
        return [("dataset", f"{{dataset}} {WITHOUT}")]
    return []


def only_new_classes(options: Options, facts: DataFacts) -> Problems:
    """Return a problem if there are no experiences, or one has samples of earlier classes."""
    problems = has_experiences(options, facts)
    if problems:
        return problems
    train, _ = _domains(facts)
    first = _first_experience(facts.y_train, train)
    for index in range(int(train.max()) + 1):
        present = set(np.unique(facts.y_train[train == index]).tolist())
        old = [class_id for class_id in present if first[class_id] < index]
        if old:
            return [
                (
                    "kind",
                    f"experience {index} of {{dataset}} has samples of classes that came before; "
                    "use kind 'avalanche_repeated', for strategies that can learn more of them",
                )
            ]
    return []


def _domains(facts: DataFacts) -> tuple[IntArray, IntArray]:
    if facts.domain_train is None or facts.domain_test is None:
        raise StreamError(f"the data set {WITHOUT}")
    return facts.domain_train, facts.domain_test


def _first_experience(y_train: IntArray, train: IntArray) -> dict[int, int]:
    """Return the experience that brings each class id."""
    first: dict[int, int] = {}
    for class_id, index in zip(y_train.tolist(), train.tolist(), strict=True):
        first[class_id] = min(first.get(class_id, index), index)
    return first


def _test_follows(test: IntArray, owners: IntArray, train: IntArray) -> bool:
    """Return whether each experience has a test part, of classes that have come by then."""
    return set(test.tolist()) == set(train.tolist()) and bool((owners <= test).all())


def _protocol(experiences: Sequence[ExperiencePlan]) -> str:
    sizes = [len(experience.new_labels) for experience in experiences]
    listed = "+".join(map(str, sizes)) if len(sizes) <= 12 else f"{sizes[0]}+...+{sizes[-1]}"
    return f"{len(sizes)} experiences as given, {listed} new classes"
