"""What the data suggest."""

from __future__ import annotations

import numpy as np
import pytest

from cilsim.advice.proposal import Kind, propose
from cilsim.advice.survey import Survey, survey
from cilsim.data.dataset import DataFacts
from cilsim.errors import DataError


def counted(*train: int) -> Survey:
    classes = len(train)
    names = tuple(f"class {number}" for number in range(classes))
    return Survey(tuple(range(classes)), names, train, (5,) * classes, False, 32)


def facts(labels: list[int], classes: int) -> DataFacts:
    y = np.array(labels)
    names = tuple("abcdef"[:classes])
    return DataFacts(tuple(range(classes)), names, y, y, (3, 32, 32))


def test_a_survey_counts_the_samples_of_each_class() -> None:
    found = survey(facts([0, 1, 1, 1, 2, 2], 3), "mine")
    assert (found.train, found.test, found.imbalance) == ((1, 3, 2), (1, 3, 2), 3.0)
    assert found.described() == (
        "3 classes, 6 images of 32 pixels for training and 6 for testing; 1 to 3 per class, "
        "imbalance 3.0"
    )


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 0], 1, "mine: 1 class was found - expected at least two"),
        ([0, 2], 3, "mine: class 'b' has no training sample - expected at least one"),
    ],
    ids=["one class", "an empty class"],
)
def test_data_that_make_no_stream_are_refused(
    labels: list[int], classes: int, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        survey(facts(labels, classes), "mine")
    assert str(caught.value) == message


def test_many_samples_everywhere_make_a_class_incremental_stream() -> None:
    found = propose(counted(*[100] * 10))
    assert (found.kind, found.metric) == ("class_incremental", "A_all")
    assert found.options == {"sizes": [5, 1, 1, 1, 1, 1]}
    assert found.reason == "class-incremental: 5 classes first, the others in 5 experiences"


def test_sizes_add_up_to_all_classes() -> None:
    for classes in range(2, 40):
        sizes = propose(counted(*[100] * classes)).options["sizes"]
        assert isinstance(sizes, list)
        assert (sum(sizes), min(sizes) > 0, len(sizes) <= 6) == (classes, True, True)


def test_rare_classes_come_later_as_few_shot_sessions() -> None:
    found = propose(counted(100, 7, 90, 9, 80, 8, 12))
    assert (found.kind, found.metric) == ("few_shot_class_incremental", "A_hm")
    assert found.options == {"base_classes": 3, "way": 4, "shot": 7}
    assert found.class_order == (0, 2, 4, 6, 3, 5, 1)
    assert found.reason == (
        "few-shot: 3 classes with 80 samples or more first, 4 with 7 to 12 in sessions of 4, "
        "7 shots each"
    )


@pytest.mark.parametrize(("rare", "way"), [(1, 1), (5, 5), (7, 1), (12, 4)])
def test_sessions_use_up_all_rare_classes(rare: int, way: int) -> None:
    assert propose(counted(*[100] * 4, *[6] * rare)).options["way"] == way


def test_rare_classes_alone_have_no_base_to_learn_from() -> None:
    assert propose(counted(*[6] * 8)).kind == "class_incremental"


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("few_shot_class_incremental", {"base_classes": 4, "way": 4, "shot": 5}),
        ("class_incremental", {"sizes": [4, 1, 1, 1, 1]}),
    ],
)
def test_the_user_may_choose_the_kind(kind: Kind, options: dict[str, int]) -> None:
    assert propose(counted(*[100] * 8), kind).options == options


def test_one_of_something_is_said_in_the_singular() -> None:
    assert propose(counted(9, 1)).reason == (
        "class-incremental: 1 class first, the others in 1 experience"
    )
    assert propose(counted(9, 1), "few_shot_class_incremental").reason == (
        "few-shot: 1 class with 9 samples or more first, 1 with 1 to 1 in sessions of 1, "
        "1 shot each"
    )
