from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cilsim.data.dataset import DataFacts
from cilsim.records import ExperienceInfo, StreamInfo
from cilsim.scenario.stream_options import ClassIncrementalOptions
from cilsim.streams.class_incremental import class_incremental
from cilsim.streams.plan import StreamPlan, blocks, labels_of, members

Facts = Callable[..., DataFacts]


def small_plan(facts: Facts, order: tuple[int, ...] = (2, 0, 1)) -> StreamPlan:
    return class_incremental(ClassIncrementalOptions(sizes=(2, 1)), facts(3), order, seed=0)


def test_labels_are_minus_one_for_classes_outside_the_stream() -> None:
    labels = labels_of(np.array([5, 9, 7, 5]), order=(7, 5))
    np.testing.assert_array_equal(labels, [1, -1, 0, 1])


def test_members_are_ascending_positions() -> None:
    np.testing.assert_array_equal(members(np.array([2, 0, 1, 0]), (0, 2)), [0, 1, 3])


def test_blocks_are_consecutive_labels() -> None:
    assert blocks((2, 1, 3)) == [(0, 1), (2,), (3, 4, 5)]


def test_info_says_what_anybody_may_know(facts: Facts) -> None:
    plan = small_plan(facts)
    assert plan.info("toy", facts(3)) == StreamInfo(
        kind="class_incremental",
        dataset="toy",
        protocol="B2-Inc1",
        experiences=(
            ExperienceInfo(0, "base", (0, 1), seen=2, labelled=12, unlabelled=0, test=4),
            ExperienceInfo(1, "increment 1", (2,), seen=3, labelled=6, unlabelled=0, test=2),
        ),
        class_ids=(2, 0, 1),
        class_names=("class 2", "class 0", "class 1"),
        groups=("base", "novel"),
        digest=plan.digest(),
    )


def test_digest_depends_on_class_order_and_every_split(facts: Facts) -> None:
    plan = small_plan(facts)
    first, second = plan.experiences
    others = [small_plan(facts, order=(2, 1, 0))]
    for part in ("labelled", "unlabelled", "test"):
        changed = replace(second, **{part: np.array([0])})
        others.append(replace(plan, experiences=(first, changed)))
    digests = {plan.digest(), *(other.digest() for other in others)}
    assert len(digests) == 5


def test_digest_is_the_same_on_every_machine(facts: Facts) -> None:
    assert small_plan(facts).digest() == (
        "41752b1a43dde92bca4540d6b0c9e2925c88e294bd99859ff0a7e9d0adf5486e"
    )
