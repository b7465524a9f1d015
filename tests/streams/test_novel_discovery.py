from __future__ import annotations

from collections.abc import Callable

from cilsim.data.dataset import DataFacts
from cilsim.scenario.discovery_options import NovelClassDiscoveryOptions
from cilsim.streams.novel_discovery import novel_class_discovery
from cilsim.streams.plan import StreamPlan

Facts = Callable[..., DataFacts]


def planned(facts: DataFacts, **options: int) -> StreamPlan:
    chosen = NovelClassDiscoveryOptions(**options)
    return novel_class_discovery(chosen, facts, facts.class_ids, seed=0)


def test_only_the_first_experience_is_labelled(facts: Facts) -> None:
    plan = planned(facts(6, train=5), labelled_classes=2, stages=2)
    assert [len(experience.labelled) for experience in plan.experiences] == [10, 0, 0]
    assert [len(experience.unlabelled) for experience in plan.experiences] == [0, 10, 10]


def test_stages_have_samples_of_their_own_classes_only(facts: Facts) -> None:
    known = facts(6, train=5)
    plan = planned(known, labelled_classes=2, stages=2)
    classes = [set(known.y_train[part.unlabelled].tolist()) for part in plan.experiences]
    assert classes == [set(), {2, 3}, {4, 5}]


def test_protocol_names_and_groups(facts: Facts) -> None:
    plan = planned(facts(6), labelled_classes=2, stages=2)
    assert plan.protocol == "2 labelled + 4 novel in 2 stages"
    assert [experience.name for experience in plan.experiences] == [
        "labelled",
        "stage 1",
        "stage 2",
    ]
    assert plan.groups == ("old", "new")


def test_one_stage_is_not_mentioned_in_the_protocol(facts: Facts) -> None:
    assert planned(facts(6), labelled_classes=4).protocol == "4 labelled + 2 novel"


def test_fewer_novel_classes_leave_the_others_out(facts: Facts) -> None:
    assert planned(facts(6), labelled_classes=2, novel_classes=3).class_order == (0, 1, 2, 3, 4)
