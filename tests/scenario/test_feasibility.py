from __future__ import annotations

import numpy as np
import pytest

from cilsim.data.dataset import DataFacts
from cilsim.options import Options
from cilsim.scenario.discovery_options import NovelClassDiscoveryOptions
from cilsim.scenario.feasibility import feasibility_problems
from cilsim.scenario.stream_options import (
    ClassIncrementalOptions,
    FewShotOptions,
)

COUNTS = (9, 3, 9, 4)
FACTS = DataFacts(
    class_ids=(0, 1, 2, 3),
    class_names=("ant", "bee", "cow", "dog"),
    y_train=np.repeat(np.arange(4), COUNTS),
    y_test=np.arange(4),
    sample_shape=(1, 8, 8),
)


@pytest.mark.parametrize(
    ("kind", "options", "problems"),
    [
        ("class_incremental", ClassIncrementalOptions(experiences=2), []),
        (
            "class_incremental",
            ClassIncrementalOptions(sizes=(3, 2)),
            [("sizes", "5 classes are asked for, pets has 4")],
        ),
        ("few_shot_class_incremental", FewShotOptions(base_classes=2, way=2, shot=4), []),
        (
            "few_shot_class_incremental",
            FewShotOptions(base_classes=2, way=2, shot=5),
            [
                (
                    "shot",
                    "5 training samples of each new class are asked for, class 'dog' of pets has 4",
                )
            ],
        ),
        (
            "few_shot_class_incremental",
            FewShotOptions(base_classes=2, way=1, shot=5, sessions=1),
            [],
        ),
        (
            "few_shot_class_incremental",
            FewShotOptions(base_classes=2, way=2, sessions=2),
            [
                (
                    "sessions",
                    "2 + 2 x 2 = 6 classes are asked for, pets has 4; at most 1 sessions fit",
                )
            ],
        ),
        (
            "novel_class_discovery",
            NovelClassDiscoveryOptions(labelled_classes=4),
            [("labelled_classes", "4 labelled classes leave none to discover, pets has 4")],
        ),
        ("of_a_plugin", Options(), []),
    ],
    ids=str,
)
def test_what_a_data_set_cannot_give_is_told(kind, options, problems):
    assert feasibility_problems(kind, options, FACTS, "pets") == problems


def test_without_a_name_the_data_set_is_called_that():
    (problem,) = feasibility_problems(
        "class_incremental", ClassIncrementalOptions(sizes=(5,)), FACTS
    )
    assert problem == ("sizes", "5 classes are asked for, the data set has 4")


STREAM = "stream: {kind: fscil, dataset: glyphs100, base_classes: 60, shot: 70}\nstrategy: nmc\n"
TOO_FEW = (
    "scen.yaml:1:67: stream.shot: 70 training samples of each new class are asked for, class "
    "'glyph 99' of glyphs100 has 60"
)


def test_shots_are_checked_for_the_classes_that_are_new_in_the_given_order(problems, load):
    assert problems(STREAM) == [TOO_FEW]
    smallest_first = [99, *range(99)]
    assert load(STREAM + f"class_order: {{list: {smallest_first}}}\n").class_order.ids[0] == 99


def test_a_seeded_order_gets_the_benefit_of_the_doubt(load, problems):
    assert load(STREAM + "class_order: {seed: 1993}\n").class_order.seed == 1993
    assert problems(STREAM.replace("70", "121") + "class_order: {seed: 1993}\n") == [
        "scen.yaml:1:67: stream.shot: 121 training samples of each new class are asked for, class "
        "'glyph 59' of glyphs100 has 120"
    ]


def test_an_option_left_to_its_default_is_told_at_the_section(problems):
    text = "stream: {kind: fscil, dataset: glyphs100, base_classes: 98}\nstrategy: nmc\n"
    assert problems(text) == [
        "scen.yaml:1:1: stream.way: 98 + 5 classes are the least for one session, glyphs100 has 100"
    ]


def test_a_data_set_that_tells_no_facts_is_not_checked(load):
    text = "stream: {kind: cil, dataset: silent, experiences: 7}\nstrategy: nmc\n"
    assert load(text).stream.options.experiences == 7
