from __future__ import annotations

import pytest
from pydantic import ValidationError

from cilsim.scenario.discovery_options import NovelClassDiscoveryOptions
from cilsim.scenario.draw import DrawSeed
from cilsim.scenario.stream_options import (
    ClassIncrementalOptions,
    DoesNotFit,
    FewShotOptions,
)


@pytest.mark.parametrize(
    ("options", "classes", "sizes"),
    [
        ({"base_classes": 50, "increment": 10}, 100, (50, 10, 10, 10, 10, 10)),
        ({"base_classes": 0, "increment": 20}, 100, (20, 20, 20, 20, 20)),
        ({"increment": 50}, 100, (50, 50)),
        ({"base_classes": 4, "increment": 4, "uneven": True}, 10, (4, 4, 2)),
        ({"base_classes": 10, "increment": 4}, 10, (10,)),
        ({"increment": 1}, 3, (1, 1, 1)),
        ({"sizes": (5, 1, 2)}, 10, (5, 1, 2)),
        ({"experiences": 5}, 10, (2, 2, 2, 2, 2)),
    ],
    ids=str,
)
def test_sizes_of_experiences_follow_from_the_number_of_classes(options, classes, sizes):
    assert ClassIncrementalOptions(**options).sizes_for(classes) == sizes


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        (
            {"base_classes": 50, "increment": 7},
            "increment",
            "50 classes of {dataset} are left after the base, which 7 does not divide; "
            "'uneven: true' makes the last experience 1",
        ),
        (
            {"base_classes": 101, "increment": 7},
            "base_classes",
            "101 classes are asked for, {dataset} has 100",
        ),
        ({"sizes": (60, 50)}, "sizes", "110 classes are asked for, {dataset} has 100"),
        (
            {"experiences": 3},
            "experiences",
            "100 classes of {dataset} cannot be split evenly into 3; 'sizes' can say uneven ones",
        ),
    ],
    ids=str,
)
def test_classes_that_do_not_fit_are_told_with_the_option(options, option, message):
    with pytest.raises(DoesNotFit) as refused:
        ClassIncrementalOptions(**options).sizes_for(100)
    assert (refused.value.option, str(refused.value)) == (option, message)


ONE_WAY = (
    "Value error, give the sizes of the experiences in one way: 'increment' with 'base_classes', "
    "or 'sizes', or 'experiences'"
)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, ONE_WAY),
        ({"sizes": (5,), "experiences": 2}, ONE_WAY),
        ({"increment": 5, "experiences": 2}, ONE_WAY),
        (
            {"base_classes": 5},
            "Value error, 'base_classes' needs 'increment', the new classes of each experience",
        ),
        (
            {"experiences": 5, "uneven": True},
            "Value error, 'uneven' belongs to 'increment'; 'sizes' can say any sizes",
        ),
    ],
    ids=str,
)
def test_sizes_are_said_in_exactly_one_way(options, message):
    with pytest.raises(ValidationError) as refused:
        ClassIncrementalOptions(**options)
    assert [error["msg"] for error in refused.value.errors()] == [message]


@pytest.mark.parametrize(
    ("options", "sessions"),
    [
        ({"base_classes": 60}, 8),
        ({"base_classes": 60, "sessions": 3}, 3),
        ({"base_classes": 60, "way": 7, "sessions": 5}, 5),
        ({"base_classes": 90, "way": 10}, 1),
    ],
    ids=str,
)
def test_sessions_use_up_the_classes_unless_counted(options, sessions):
    assert FewShotOptions(**options).sessions_for(100) == sessions


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        (
            {"base_classes": 60, "sessions": 9},
            "sessions",
            "60 + 9 x 5 = 105 classes are asked for, {dataset} has 100; at most 8 sessions fit",
        ),
        (
            {"base_classes": 60, "way": 7},
            "way",
            "40 classes of {dataset} are left after the base, which 7 does not divide; "
            "'sessions: 5' leaves 5 out",
        ),
        (
            {"base_classes": 60, "way": 50},
            "way",
            "60 + 50 classes are the least for one session, {dataset} has 100",
        ),
        (
            {"base_classes": 100},
            "base_classes",
            "100 + 5 classes are the least for one session, {dataset} has 100",
        ),
    ],
    ids=str,
)
def test_sessions_that_do_not_fit_are_told_with_the_option(options, option, message):
    with pytest.raises(DoesNotFit) as refused:
        FewShotOptions(**options).sessions_for(100)
    assert (refused.value.option, str(refused.value)) == (option, message)


def test_shots_are_drawn_by_the_published_rule_a_seed_or_the_training_seed():
    options = FewShotOptions(base_classes=60)
    assert options.shot_seed(4) is None
    assert options.model_copy(update={"shots": DrawSeed(seed=7)}).shot_seed(4) == 7
    assert options.model_copy(update={"shots": "per_seed"}).shot_seed(4) == 4


def test_a_wrong_rule_for_the_shots_is_told(problems):
    stream = "{kind: fscil, dataset: glyphs100, base_classes: 60, shots: publshed}"
    assert problems(f"stream: {stream}\nstrategy: nmc\n") == [
        "scen.yaml:1:68: stream.shots: expected 'published', 'per_seed' or a mapping, found "
        "'publshed'; did you mean 'published'?"
    ]


@pytest.mark.parametrize(
    ("options", "novel"),
    [
        ({"labelled_classes": 80}, 20),
        ({"labelled_classes": 50, "novel_classes": 30, "stages": 3}, 30),
    ],
    ids=str,
)
def test_all_other_classes_are_novel_unless_counted(options, novel):
    assert NovelClassDiscoveryOptions(**options).novel_for(100) == novel


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        (
            {"labelled_classes": 100},
            "labelled_classes",
            "100 labelled classes leave none to discover, {dataset} has 100",
        ),
        (
            {"labelled_classes": 80, "novel_classes": 30},
            "novel_classes",
            "80 + 30 = 110 classes are asked for, {dataset} has 100; at most 20 can be novel",
        ),
        (
            {"labelled_classes": 80, "stages": 3},
            "stages",
            "20 novel classes cannot be spread evenly over 3 stages",
        ),
    ],
    ids=str,
)
def test_novel_classes_that_do_not_fit_are_told_with_the_option(options, option, message):
    with pytest.raises(DoesNotFit) as refused:
        NovelClassDiscoveryOptions(**options).novel_for(100)
    assert (refused.value.option, str(refused.value)) == (option, message)
