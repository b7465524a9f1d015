from __future__ import annotations

import heapq
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.data.dataset import DataFacts
from cilsim.records import IntArray
from cilsim.scenario.stream_options import FewShotOptions
from cilsim.streams.few_shot import few_shot_class_incremental, published_shots, seeded_shots
from cilsim.streams.plan import StreamPlan

Facts = Callable[..., DataFacts]


@pytest.fixture(scope="module")
def lists(golden: Path) -> dict[str, Any]:
    """The index lists that TOPIC, CEC, FACT and TEEN share."""
    with np.load(golden / "teen_protocol_lists.npz", allow_pickle=False) as stored:
        return dict(stored)


def planned(facts: DataFacts, seed: int = 0, **options: Any) -> StreamPlan:
    chosen = FewShotOptions(**options)
    return few_shot_class_incremental(chosen, facts, facts.class_ids, seed)


@pytest.mark.parametrize("count", [500, 30, 29])
def test_published_ranks_are_those_of_the_shared_lists(lists: dict[str, Any], count: int) -> None:
    expected = lists[f"within_class_rank_{count}"]
    np.testing.assert_array_equal(published_shots(count, count), expected)


def test_published_ranks_of_five_shots_among_500() -> None:
    assert published_shots(500, 5).tolist() == [304, 340, 47, 67, 479]


def test_cifar100_sessions_are_the_published_lists(lists: dict[str, Any]) -> None:
    """Class order, sessions, shots and their order, all 200 positions."""
    y_train = labels_with(lists)
    ids = tuple(range(100))
    facts = DataFacts(
        ids, tuple(map(str, ids)), y_train, np.repeat(np.array(ids), 100), (3, 32, 32)
    )
    plan = planned(facts, base_classes=60, way=5, shot=5)
    shots = [experience.labelled for experience in plan.experiences[1:]]
    np.testing.assert_array_equal(np.stack(shots), lists["cifar100_shot_index"])
    tests = np.cumsum([len(experience.test) for experience in plan.experiences])
    np.testing.assert_array_equal(tests, lists["cifar100_test_size"])
    assert len(plan.experiences[0].labelled) == 30_000


def labels_with(lists: dict[str, Any]) -> IntArray:
    """Return class ids of 50 000 images that agree with the published positions.

    The true labels are not needed: any assignment in which each class has 500 images and its five
    published positions have the published ranks will do. Each gap between two published positions
    has to hold a known number of images of the class, so images are given out in order of position,
    always to the class whose gap closes first.
    """
    shots = lists["cifar100_shot_index"].reshape(40, 5)
    known = np.concatenate([lists["cifar100_base_first5_index"], shots])  # (100, 5)
    ranks = np.sort(lists["within_class_rank_500"][:5])
    bounds = np.concatenate([[-1], ranks, [500]])
    opening: dict[int, list[tuple[int, int, int]]] = {}
    y_train = np.full(50_000, -1)
    for class_id, positions in enumerate(np.sort(known, axis=1).tolist()):
        y_train[positions] = class_id
        edges = [-1, *positions, 50_000]
        for gap, count in enumerate(np.diff(bounds) - 1):
            begin, end = edges[gap] + 1, edges[gap + 1]
            opening.setdefault(begin, []).append((end, class_id, int(count)))
    waiting: list[list[int]] = []
    for position in range(50_000):
        for end, class_id, count in opening.get(position, []):
            heapq.heappush(waiting, [end, class_id, count])
        if y_train[position] < 0:
            while not waiting[0][2]:
                heapq.heappop(waiting)
            assert position < waiting[0][0]
            y_train[position] = waiting[0][1]
            waiting[0][2] -= 1
    return y_train


def test_sessions_and_protocol(facts: Facts) -> None:
    plan = planned(facts(10, train=8), base_classes=6, way=2, shot=3)
    assert plan.protocol == "6 + 2x2-way 3-shot"
    assert [experience.name for experience in plan.experiences] == [
        "base",
        "session 1",
        "session 2",
    ]
    assert [len(experience.labelled) for experience in plan.experiences] == [48, 6, 6]
    assert [experience.new_labels for experience in plan.experiences[1:]] == [(6, 7), (8, 9)]


def test_later_sessions_are_tested_on_all_test_samples_of_their_classes(facts: Facts) -> None:
    plan = planned(facts(4, train=8, test=7), base_classes=2, way=2, shot=1)
    assert [len(experience.test) for experience in plan.experiences] == [14, 14]


def test_fewer_sessions_leave_classes_out(facts: Facts) -> None:
    plan = planned(facts(10), base_classes=4, way=2, shot=2, sessions=2)
    assert plan.class_order == tuple(range(8))


def test_published_shots_are_the_same_for_every_training_seed(facts: Facts) -> None:
    known = facts(10, train=20)
    plans = [planned(known, seed, base_classes=6, way=2, shot=5) for seed in (0, 1)]
    assert plans[0].digest() == plans[1].digest()


def test_shots_per_seed_differ_between_training_seeds(facts: Facts) -> None:
    known = facts(10, train=20)
    options = {"base_classes": 6, "way": 2, "shot": 5, "shots": "per_seed"}
    plans = [planned(known, seed, **options) for seed in (0, 1, 0)]
    assert plans[0].digest() != plans[1].digest()
    assert plans[0].digest() == plans[2].digest()


def test_shots_by_a_seed_of_their_own_ignore_the_training_seed(facts: Facts) -> None:
    known = facts(10, train=20)
    options = {"base_classes": 6, "way": 2, "shot": 5, "shots": {"seed": 7}}
    plans = [planned(known, seed, **options) for seed in (0, 1)]
    assert plans[0].digest() == plans[1].digest()


def test_free_shots_are_distinct_and_differ_between_classes() -> None:
    draws = [seeded_shots(50, 5, seed=3, class_id=class_id).tolist() for class_id in (8, 9)]
    assert [len(set(draw)) for draw in draws] == [5, 5]
    assert draws[0] != draws[1]


def test_shots_belong_to_their_class(facts: Facts) -> None:
    known = facts(6, train=20)
    plan = planned(known, base_classes=4, way=2, shot=5, shots="per_seed")
    assert known.y_train[plan.experiences[1].labelled].tolist() == [4] * 5 + [5] * 5
