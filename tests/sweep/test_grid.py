from __future__ import annotations

from pathlib import Path

import pytest

from cilsim.scenario.findings import Findings
from cilsim.scenario.nodes import Node
from cilsim.scenario.origin import Origin
from cilsim.scenario.schema import folder_name
from cilsim.scenario.yaml_source import parse
from cilsim.sweep.grid import Variant, cell_name, combination_in, variants


def read(text: str) -> Node:
    node = parse(Origin("sweep.yaml", text, Path()), Findings())
    assert node is not None
    return node


def only(text: str) -> Variant:
    (variant,) = variants(read(text))
    return variant


def test_without_a_grid_there_is_one_variant() -> None:
    assert variants(None) == [()]


def test_the_last_key_is_varied_first() -> None:
    found = variants(read("{a.b: [1, 2], c: x, d: [true, null]}"))

    assert [[setting.override for setting in variant] for variant in found] == [
        ["a.b=1", 'c="x"', "d=true"],
        ["a.b=1", 'c="x"', "d=null"],
        ["a.b=2", 'c="x"', "d=true"],
        ["a.b=2", 'c="x"', "d=null"],
    ]


def test_a_list_is_set_by_a_list_within_the_list() -> None:
    assert [setting.override for setting in only("{a: [[1, 2]]}")] == ["a=[1, 2]"]


@pytest.mark.parametrize(
    ("grid", "name"),
    [
        ("{}", "ring--nmc--seed-0"),
        ("{stream.shot: 5}", "ring--stream.shot-5--nmc--seed-0"),
        ("{training.lr: 0.05}", "ring--training.lr-0.05--nmc--seed-0"),
        ("{class_order.seed: 1993}", "ring--class-order.seed-1993--nmc--seed-0"),
    ],
)
def test_a_cell_is_named_after_what_it_is(grid: str, name: str) -> None:
    assert cell_name("ring", only(grid), "nmc", 0) == name


def test_values_that_make_no_name_are_told_apart_by_a_hash() -> None:
    grids = ["{a: -1}", "{a: '-1'}", "{a: [[1, 2]]}", "{a: [[12]]}", "{a: {b: 1}}"]

    names = [cell_name("ring", only(grid), "nmc", 0) for grid in grids]

    assert len(set(names)) == len(names)
    assert [folder_name(name) for name in names] == names


@pytest.mark.parametrize(
    ("name", "combination"),
    [
        ("ring--nmc--seed-3", "ring"),
        ("ring--stream.shot-5--nmc--seed-3", "ring--stream.shot-5"),
        ("ring--a--1--nmc--seed-3-0123abcd", "ring--a--1--nmc-0123abcd"),
        ("ring", "ring"),
    ],
)
def test_runs_that_differ_in_strategy_and_seed_are_of_one_combination(
    name: str, combination: str
) -> None:
    assert combination_in(name, "nmc", 3) == combination


def test_a_long_name_is_cut_and_still_its_own() -> None:
    grid = "{" + ", ".join(f"section.key_{number}: {number}" for number in range(9)) + "}"
    names = [cell_name("ring", only(grid), "nmc", seed) for seed in (0, 1)]
    names.append(cell_name("ring", only(grid.replace("8}", "9}")), "nmc", 0))

    assert len(set(names)) == 3
    assert [len(name) for name in names] == [100, 100, 100]
    assert [folder_name(name) for name in names] == names
