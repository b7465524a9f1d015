from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.data.dataset import DataFacts
from cilsim.errors import StreamError
from cilsim.scenario.discovery_options import GeneralizedDiscoveryOptions
from cilsim.streams.generalized_discovery import generalized_category_discovery, labelled_positions
from cilsim.streams.plan import StreamPlan

Facts = Callable[..., DataFacts]


def planned(facts: DataFacts, seed: int = 0, **options: Any) -> StreamPlan:
    chosen = GeneralizedDiscoveryOptions(**options)
    return generalized_category_discovery(chosen, facts, facts.class_ids, seed)


@pytest.mark.parametrize("count", [20, 100, 25_000, 40_000])
def test_the_published_half_is_drawn_index_by_index(golden: Path, count: int) -> None:
    published = np.load(golden / "gcd_splits.npz")[f"labelled_positions_N{count}"]
    assert np.array_equal(labelled_positions(count, 0.5, seed=0), published)


def test_both_parts_equal_those_of_the_released_builder(golden: Path, facts: Facts) -> None:
    published = np.load(golden / "gcd_splits.npz")
    (experience,) = planned(facts(100, train=50), old_classes=80).experiences
    assert np.array_equal(experience.labelled, published["toy100x50_labelled_idx_in_order"])
    assert np.array_equal(experience.unlabelled, published["toy100x50_unlabelled_idx"])


def test_one_experience_brings_old_and_novel_classes(facts: Facts) -> None:
    plan = planned(facts(6, train=10), old_classes=4)
    (experience,) = plan.info("toy", facts(6, train=10)).experiences
    assert (experience.labelled_labels, experience.novel_labels) == ((0, 1, 2, 3), (4, 5))
    assert (experience.labelled, experience.unlabelled, experience.seen) == (20, 40, 6)
    assert plan.protocol == "4 old (0.5 labelled) + 2 new"
    assert plan.groups == ("old", "new")


def test_a_draw_per_seed_differs_between_seeds(facts: Facts) -> None:
    known = facts(6, train=10)
    first, second = (planned(known, seed, old_classes=4, draw="per_seed") for seed in (1, 2))
    assert first.digest() != second.digest()
    assert planned(known, 1, old_classes=4).digest() == planned(known, 2, old_classes=4).digest()


def test_a_class_without_a_labelled_sample_is_named(facts: Facts) -> None:
    with pytest.raises(StreamError) as raised:
        planned(facts(6, train=2), old_classes=4, labelled_share=0.2)
    assert str(raised.value) == (
        "stream.labelled_share: 0.2 leaves class 'class 0' without a labelled sample; a larger "
        "share is needed"
    )
