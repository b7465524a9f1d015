"""Experiences as the data set itself has them."""

from __future__ import annotations

import numpy as np
import pytest

from cilsim.data.dataset import DataFacts
from cilsim.errors import StreamError
from cilsim.options import Options
from cilsim.streams.as_given import as_given, has_experiences, only_new_classes


def _facts(
    train: list[tuple[int, int]], test: list[tuple[int, int]], domains: int = 3
) -> DataFacts:
    """Return facts from (class id, domain) pairs."""
    y_train, domain_train = np.array(train, dtype=np.int64).T
    y_test, domain_test = np.array(test, dtype=np.int64).T
    ids = tuple(sorted({*y_train.tolist(), *y_test.tolist()}))
    names = tuple(f"experience {index}" for index in range(domains))
    return DataFacts(
        ids, tuple(map(str, ids)), y_train, y_test, (2,), domain_train, domain_test, names
    )


NEW_AND_OLD = _facts([(7, 0), (5, 0), (5, 1), (3, 1), (7, 2)], [(7, 0), (5, 0), (3, 1), (7, 2)])


def test_each_domain_is_an_experience_and_brings_the_classes_that_are_first_there() -> None:
    plan = as_given(Options(), NEW_AND_OLD, (3, 5, 7), 0)
    assert plan.class_order == (5, 7, 3)
    assert [e.new_labels for e in plan.experiences] == [(0, 1), (2,), ()]
    assert [e.labelled.tolist() for e in plan.experiences] == [[0, 1], [2, 3], [4]]
    assert [e.test.tolist() for e in plan.experiences] == [[0, 1], [2], [3]]
    assert [e.name for e in plan.experiences] == ["experience 0", "experience 1", "experience 2"]
    assert plan.protocol == "3 experiences as given, 2+1+0 new classes"


def test_a_class_order_decides_within_an_experience_only() -> None:
    assert as_given(Options(), NEW_AND_OLD, (3, 7, 5), 0).class_order == (7, 5, 3)


def test_test_samples_of_classes_to_come_belong_to_the_experience_that_brings_them() -> None:
    facts = _facts([(0, 0), (1, 1)], [(0, 0), (1, 0), (0, 1)], domains=2)
    plan = as_given(Options(), facts, (0, 1), 0)
    assert [e.test.tolist() for e in plan.experiences] == [[0, 2], [1]]


def test_test_samples_of_classes_that_never_come_are_left_out() -> None:
    facts = _facts([(0, 0), (1, 1)], [(0, 0), (1, 1), (9, 1)], domains=2)
    plan = as_given(Options(), facts, (0, 1, 9), 0)
    assert plan.class_order == (0, 1)
    assert [e.test.tolist() for e in plan.experiences] == [[0], [1]]


def test_only_new_classes_complains_about_the_first_that_comes_again() -> None:
    assert only_new_classes(Options(), NEW_AND_OLD) == [
        (
            "kind",
            "experience 1 of {dataset} has samples of classes that came before; use kind "
            "'avalanche_repeated', for strategies that can learn more of them",
        )
    ]
    apart = _facts([(0, 0), (1, 1)], [(0, 0), (1, 1)], domains=2)
    assert only_new_classes(Options(), apart) == []


def test_data_without_domains_has_no_experiences() -> None:
    y = np.array([0, 1])
    facts = DataFacts((0, 1), ("a", "b"), y, y, (2,))
    message = "has no experiences of its own; use data set 'avalanche', or one with domains"
    assert has_experiences(Options(), facts) == [("dataset", f"{{dataset}} {message}")]
    with pytest.raises(StreamError) as caught:
        as_given(Options(), facts, (0, 1), 0)
    assert str(caught.value) == f"the data set {message}"
