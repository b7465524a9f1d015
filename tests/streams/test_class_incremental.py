from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cilsim.data.dataset import DataFacts
from cilsim.scenario.stream_options import ClassIncrementalOptions
from cilsim.streams.class_incremental import class_incremental
from cilsim.streams.plan import StreamPlan

Facts = Callable[..., DataFacts]


def planned(facts: DataFacts, order: tuple[int, ...] | None = None, **options: Any) -> StreamPlan:
    chosen = ClassIncrementalOptions(**options)
    return class_incremental(chosen, facts, order or facts.class_ids, seed=0)


def sizes(plan: StreamPlan) -> list[int]:
    return [len(experience.new_labels) for experience in plan.experiences]


@pytest.mark.parametrize(
    ("options", "expected", "protocol"),
    [
        ({"base_classes": 5, "increment": 1}, [5, 1, 1, 1, 1, 1], "B5-Inc1"),
        ({"base_classes": 0, "increment": 2}, [2, 2, 2, 2, 2], "B0-Inc2"),
        ({"increment": 5}, [5, 5], "B0-Inc5"),
        ({"base_classes": 4, "increment": 4, "uneven": True}, [4, 4, 2], "sizes 4-4-2"),
        ({"sizes": [3, 1, 4]}, [3, 1, 4], "sizes 3-1-4"),
        ({"sizes": [10]}, [10], "B10"),
        ({"experiences": 10}, [1] * 10, "B0-Inc1"),
        ({"experiences": 5}, [2] * 5, "B0-Inc2"),
    ],
    ids=["B-Inc", "B0-Inc", "no base", "uneven", "explicit", "one", "one class each", "equal"],
)
def test_sizes_of_experiences(
    facts: Facts, options: dict[str, Any], expected: list[int], protocol: str
) -> None:
    plan = planned(facts(10), **options)
    assert sizes(plan) == expected
    assert plan.protocol == protocol


def test_labels_are_positions_in_stream_order(facts: Facts) -> None:
    plan = planned(facts(4), order=(2, 0, 3, 1), experiences=2)
    assert [experience.new_labels for experience in plan.experiences] == [(0, 1), (2, 3)]
    assert plan.class_order == (2, 0, 3, 1)


def test_an_experience_has_all_samples_of_its_classes_and_no_others(facts: Facts) -> None:
    known = facts(4, train=3, test=2)
    plan = planned(known, order=(2, 0, 3, 1), experiences=2)
    np.testing.assert_array_equal(plan.experiences[0].labelled, [0, 2, 4, 6, 8, 10])
    np.testing.assert_array_equal(plan.experiences[1].labelled, [1, 3, 5, 7, 9, 11])
    np.testing.assert_array_equal(plan.experiences[0].test, [0, 2, 4, 6])
    np.testing.assert_array_equal(plan.experiences[1].test, [1, 3, 5, 7])


def test_nothing_is_unlabelled(facts: Facts) -> None:
    plan = planned(facts(4), experiences=2)
    assert [len(experience.unlabelled) for experience in plan.experiences] == [0, 0]


def test_classes_beyond_explicit_sizes_are_left_out(facts: Facts) -> None:
    plan = planned(facts(5), order=(4, 3, 2, 1, 0), sizes=[2, 1])
    assert plan.class_order == (4, 3, 2)
    used = np.concatenate([experience.labelled for experience in plan.experiences])
    assert set(facts(5).y_train[used].tolist()) == {4, 3, 2}


def test_class_ids_need_not_begin_at_zero(facts: Facts) -> None:
    known = facts(3, first_id=100)
    plan = planned(known, order=(102, 100, 101), sizes=[1, 2])
    assert known.y_train[plan.experiences[0].labelled].tolist() == [102] * 6


def test_names_and_groups(facts: Facts) -> None:
    plan = planned(facts(4), experiences=2)
    assert [experience.name for experience in plan.experiences] == ["base", "increment 1"]
    assert plan.groups == ("base", "novel")


def test_the_training_seed_changes_nothing(facts: Facts) -> None:
    options, known = ClassIncrementalOptions(experiences=2), facts(4)
    plans = [class_incremental(options, known, known.class_ids, seed) for seed in (0, 1)]
    assert plans[0].digest() == plans[1].digest()
