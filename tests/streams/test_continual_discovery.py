from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cilsim.data.dataset import DataFacts
from cilsim.scenario.discovery_options import ContinualDiscoveryOptions
from cilsim.streams.continual_discovery import continual_category_discovery
from cilsim.streams.plan import StreamPlan

PUBLISHED_ORDER = (
    "78 61 60 91 52 77 88 81 72 54 83 85 76 84 68 57 64 95 98 79 65 80 82 66 92 70 93 58 63 75 "
    "55 67 90 99 51 62 87 74 56 73 86 71 69 59 89 96 53 50 97 94"
)
"""Novel classes of CIFAR-100 in the authors' log."""


@pytest.fixture(scope="module")
def facts() -> DataFacts:
    """CIFAR-100's shape: 100 classes of 500 samples, class by class."""
    ids = tuple(range(100))
    names = tuple(map(str, ids))
    return DataFacts(ids, names, np.repeat(ids, 500), np.repeat(ids, 100), (3, 32, 32))


def planned(facts: DataFacts, seed: int = 0, **options: Any) -> StreamPlan:
    chosen = {"old_classes": 50, "new_samples": 400, "seen_samples": 25, **options}
    return continual_category_discovery(
        ContinualDiscoveryOptions(**chosen), facts, facts.class_ids, seed
    )


@pytest.fixture(scope="module")
def published(facts: DataFacts) -> StreamPlan:
    return planned(facts)


def test_novel_classes_enter_in_the_published_order(published: StreamPlan) -> None:
    assert published.class_order[:50] == tuple(range(50))
    assert " ".join(map(str, published.class_order[50:])) == PUBLISHED_ORDER


def test_stages_have_the_published_sizes(published: StreamPlan, facts: DataFacts) -> None:
    parts = published.experiences
    assert [len(part.labelled) for part in parts] == [20_000, 0, 0, 0, 0, 0]
    assert [len(part.unlabelled) for part in parts] == [0, 5250, 5500, 5750, 6000, 6250]
    seen = [experience.seen for experience in published.info("cifar100", facts).experiences]
    assert [seen_classes * 100 for seen_classes in seen] == [5000, 6000, 7000, 8000, 9000, 10_000]


def test_a_stage_mixes_new_earlier_novel_and_old_classes(
    published: StreamPlan, facts: DataFacts
) -> None:
    counts = np.bincount(facts.y_train[published.experiences[2].unlabelled], minlength=100)
    order = np.array(published.class_order)
    assert set(counts[order[:60]]) == {25}
    assert set(counts[order[60:70]]) == {400}
    assert set(counts[order[70:]]) == {0}


def test_every_old_class_is_labelled_at_the_same_ranks(published: StreamPlan) -> None:
    ranks = published.experiences[0].labelled.reshape(50, 400) % 500
    expected = np.random.RandomState(0).choice(500, 400, replace=False)
    assert (ranks == expected).all()


def test_old_samples_of_the_stages_were_not_labelled_before(published: StreamPlan) -> None:
    labelled = published.experiences[0].labelled
    for stage in published.experiences[1:]:
        assert not np.isin(stage.unlabelled, labelled).any()


def test_old_samples_go_on_from_the_last_labelled_draw(published: StreamPlan) -> None:
    generator = np.random.RandomState(0)
    taken = generator.choice(500, 400, replace=False)
    left = np.setdiff1d(np.arange(500), taken)
    first = left[generator.choice(100, 25, replace=False)]
    assert np.array_equal(published.experiences[1].unlabelled[:25], first)


def test_without_shuffling_novel_classes_keep_their_order(facts: DataFacts) -> None:
    assert planned(facts, shuffle_novel=False).class_order == facts.class_ids


def test_another_seed_draws_another_order(facts: DataFacts) -> None:
    by_seed = planned(facts, 7, draw="per_seed")
    assert by_seed.class_order == planned(facts, draw={"seed": 7}).class_order
    assert by_seed.class_order != planned(facts).class_order


def test_classes_with_too_few_samples_give_all_they_have(facts: DataFacts) -> None:
    stage = planned(facts, new_samples=9000, seen_samples=9000).experiences[1].unlabelled
    counts = np.bincount(facts.y_train[stage], minlength=100)
    assert sorted(set(counts[:50])) == [100]
    assert sorted(set(counts[50:])) == [0, 500]


def test_protocol_and_names(published: StreamPlan) -> None:
    assert published.protocol == (
        "50 old + 5x10 new, 400 samples of a new class and 25 of a seen one per stage"
    )
    assert [part.name for part in published.experiences[:2]] == ["labelled", "stage 1"]
