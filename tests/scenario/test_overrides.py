from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("training.lr=1e-3", lambda scenario: scenario.training.lr == 0.001),
        ("training.lr = 0.5", lambda scenario: scenario.training.lr == 0.5),
        ("seeds=[4, 5]", lambda scenario: scenario.seeds == (4, 5)),
        ("seeds.1=9", lambda scenario: scenario.seeds == (0, 9, 2)),
        ("description=a=b", lambda scenario: scenario.description == "a=b"),
        ("name='7'", lambda scenario: scenario.name == "7"),
        ("threads=", lambda scenario: scenario.threads is None),
        ("backbone=small", lambda scenario: scenario.backbone.name == "small"),
        ("backbone.width=8", lambda scenario: scenario.backbone.options.width == 8),
        ("stream.dataset.name=silent", lambda scenario: scenario.stream.dataset.name == "silent"),
        (
            "strategies.1.calibration_weight=0.9",
            lambda scenario: scenario.strategies[1].options.calibration_weight == 0.9,
        ),
        (
            "strategies.0={name: teen, as: t}",
            lambda scenario: [one.label for one in scenario.strategies][:2] == ["t", "teen"],
        ),
        (
            "calibrators.0.similarity_scale=2",
            lambda scenario: scenario.strategies[0].calibrators[0].options.similarity_scale == 2,
        ),
        (
            "base_training.augmentation.cutout=8",
            lambda scenario: scenario.base_training.augmentation.cutout == 8,
        ),
        ("class_order.seed=1993", lambda scenario: scenario.class_order.seed == 1993),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_override_sets_a_value(load, full, override, value):
    assert value(load(full, override))


@pytest.mark.parametrize(
    "overrides",
    [
        ["strategy.name=teen", "strategy.calibration_weight=0.3"],
        ["strategies.0.name=teen", "strategies.0.calibration_weight=0.3"],
        ["strategy=teen", "strategy.calibration_weight=0.3"],
        ["strategies=[teen]", "strategies.0.calibration_weight=0.3"],
        ["strategy={name: teen, calibration_weight: 0.3}"],
    ],
    ids=str,
)
def test_a_short_strategy_is_written_out_for_an_override(load, short, overrides):
    (strategy,) = load(short, *overrides).strategies
    assert (strategy.name, strategy.options.calibration_weight) == ("teen", 0.3)


def test_one_strategy_replaces_many_and_many_replace_one(load, full, short):
    assert [one.name for one in load(full, "strategy=teen").strategies] == ["teen"]
    assert [one.name for one in load(short, "strategies=[nmc, teen]").strategies] == ["nmc", "teen"]


def test_overrides_can_supply_what_the_file_lacks(load):
    scenario = load(
        "name: x\n",
        "stream.kind=cil",
        "stream.dataset=glyphs100",
        "stream.experiences=10",
        "strategy.name=nmc",
        "head.kind=cosine",
    )
    assert (scenario.stream.kind, scenario.strategies[0].name, scenario.head.kind) == (
        "class_incremental",
        "nmc",
        "cosine",
    )


def test_the_last_of_two_overrides_counts(load, full):
    assert load(full, "training.lr=1", "training.lr=2").training.lr == 2.0


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stream.way=x", "--set stream.way=x: stream.way: expected an integer, found 'x'"),
        (
            "trainng.lr=3",
            "--set trainng.lr=3: trainng: unknown key; did you mean 'training'?",
        ),
        (
            "training.lrr=3",
            "--set training.lrr=3: training.lrr: unknown key; did you mean 'lr'?",
        ),
        ("training.lr", "--set training.lr: expected key.path=value, such as training.lr=0.05"),
        ("=3", "--set =3: expected key.path=value, such as training.lr=0.05"),
        ("a..b=3", "--set a..b=3: expected key.path=value, such as training.lr=0.05"),
        (
            f"{'a.' * 99}a=1",
            f"--set {'a.' * 48}a...: expected key.path=value, such as training.lr=0.05",
        ),
        (
            "seeds=[1",
            "--set seeds=[1: not valid YAML: this bracket is not closed",
        ),
        ("seeds=&a [1]", "--set seeds=&a [1]: seeds: anchors ('&a') are not accepted"),
        (
            "head={kind: linear, kind: cosine}",
            "--set head={kind: linear, kind: cosine}: head.kind: given twice, first before",
        ),
        (
            "strategies.7.x=1",
            "--set strategies.7.x=1: strategies.7.x: 'strategies' has entries 0 to 2, found '7'",
        ),
        (
            "seeds.last=1",
            "--set seeds.last=1: seeds.last: 'seeds' has entries 0 to 2, found 'last'",
        ),
        (
            "strategies.0.calibrators.0=teen",
            "--set strategies.0.calibrators.0=teen: strategies.0.calibrators: expected a list, "
            "found a mapping",
        ),
        (
            "strategy.calibration_weight=0.5",
            "--set strategy.calibration_weight=0.5: strategy.calibration_weight: 3 strategies are "
            "listed; say which, as strategies.0.calibration_weight",
        ),
        (
            "name.x=3",
            "--set name.x=3: name.x: 'name' is 'glyphs100-fscil', which holds nothing named 'x'",
        ),
        (
            "stream.sessions=9",
            "--set stream.sessions=9: stream.sessions: 60 + 9 x 5 = 105 classes are asked for, "
            "glyphs100 has 100; at most 8 sessions fit",
        ),
    ],
)
def test_a_wrong_override_is_told_as_it_was_given(problems, full, override, message):
    assert problems(full, override) == [message]


def test_what_no_longer_fits_together_is_told_at_the_section_in_the_file(problems, full):
    assert problems(full, "strategies.2.calibrators.0.low=9") == [
        "scen.yaml:15:19: strategies.2.calibrators.0: 'low' must not be above 'high'"
    ]


def test_an_empty_list_has_no_entry_to_set(problems, short):
    assert problems(f"{short}calibrators: []\n", "calibrators.0=teen") == [
        "--set calibrators.0=teen: calibrators.0: 'calibrators' is an empty list"
    ]


def test_problems_of_file_and_overrides_are_told_together(problems, short):
    assert problems(f"{short}sead: 1\n", "training.lr=x", "oops") == [
        "scen.yaml:3:1: sead: unknown key; did you mean 'head'?",
        "--set training.lr=x: training.lr: expected a number, found 'x'",
        "--set oops: expected key.path=value, such as training.lr=0.05",
    ]


def test_problems_of_overrides_are_told_beside_a_file_that_is_not_yaml(problems):
    assert problems("a: [", "oops") == [
        "scen.yaml:1:5: not valid YAML: the text ends within an open bracket",
        "--set oops: expected key.path=value, such as training.lr=0.05",
    ]
