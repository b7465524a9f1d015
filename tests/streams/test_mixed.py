from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cilsim.data.dataset import DataFacts
from cilsim.scenario.mixed_options import MixedOptions
from cilsim.streams.mixed import mixed
from cilsim.streams.plan import StreamPlan

Facts = Callable[..., DataFacts]
STAGES = (
    {"classes": 3},
    {"classes": 2, "labelled": 0, "seen_samples": 2},
    {"classes": 1, "samples": 5},
    {"classes": 2, "labelled": 0.5},
)


def planned(facts: DataFacts, seed: int = 0, **options: Any) -> StreamPlan:
    return mixed(MixedOptions(stages=STAGES, **options), facts, facts.class_ids, seed)


def classes(facts: DataFacts, positions: Any) -> dict[int, int]:
    ids, counts = np.unique(facts.y_train[positions], return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def test_each_stage_has_the_samples_that_it_asks_for(facts: Facts) -> None:
    known = facts(8, train=10)
    parts = planned(known).experiences
    assert [classes(known, part.labelled) for part in parts] == [
        {0: 10, 1: 10, 2: 10},
        {},
        {5: 5},
        {6: 5, 7: 5},
    ]
    assert [classes(known, part.unlabelled) for part in parts] == [
        {},
        {0: 2, 1: 2, 2: 2, 3: 10, 4: 10},
        {},
        {6: 5, 7: 5},
    ]
    assert [part.novel_classes for part in parts] == [0, 2, 0, 0]


def test_labelled_and_unlabelled_parts_share_no_sample(facts: Facts) -> None:
    last = planned(facts(8, train=10)).experiences[3]
    assert not np.isin(last.unlabelled, last.labelled).any()


def test_the_draw_is_the_same_for_every_seed_unless_asked_for(facts: Facts) -> None:
    known = facts(8, train=10)
    assert planned(known, 1).digest() == planned(known, 2).digest()
    assert (
        planned(known, 1, draw="per_seed").digest() != planned(known, 2, draw="per_seed").digest()
    )


def test_protocol_and_names(facts: Facts) -> None:
    plan = planned(facts(8, train=10))
    assert plan.protocol == "3 labelled + 2 to discover + 1 labelled + 2 (0.5 labelled)"
    assert [part.name for part in plan.experiences[:2]] == [
        "stage 0, labelled",
        "stage 1, discovery",
    ]
