"""Every scenario of the repository passes the check and begins with the command that runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cilsim.plugins import discover
from cilsim.report.verdicts import refuse_unusable
from cilsim.scenario.load import load_scenario
from cilsim.scenario.plain import plain_scenario
from cilsim.scenario.schema import Scenario

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
each = pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)


@each
def test_it_passes_the_check(path: Path) -> None:
    loaded = load_scenario(path, discover().registries, with_data=False)
    assert loaded.description


@each
def test_its_header_has_the_command(path: Path) -> None:
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert any(f"cilsim run scenarios/{path.name}" in line for line in header)


def test_no_two_share_a_run_folder() -> None:
    registries = discover().registries
    names = [load_scenario(path, registries, with_data=False).name for path in SCENARIOS]
    assert len(names) == len(set(names))


def recipes() -> list[Scenario]:
    registries = discover().registries
    loaded = [load_scenario(path, registries, with_data=False) for path in SCENARIOS]
    return [scenario for scenario in loaded if scenario.published]


def test_a_recipe_compares_metrics_that_runs_have() -> None:
    for scenario in recipes():
        for entry in scenario.published:
            count = len(entry.values) if entry.values is not None else 1
            refuse_unusable([entry], count)


def test_a_recipe_states_something_for_its_own_settings() -> None:
    silent = [
        scenario.name
        for scenario in recipes()
        if not any(entry.holds_for(plain_scenario(scenario)) for entry in scenario.published)
    ]
    assert silent == []


def test_a_recipe_states_each_number_once() -> None:
    for scenario in recipes():
        stated = [
            (entry.strategy, entry.metric, tuple(entry.when.items()))
            for entry in scenario.published
        ]
        assert len(stated) == len(set(stated)), scenario.name


def test_a_recipe_has_the_command_that_compares_it() -> None:
    missing = [
        path.name
        for path in SCENARIOS
        if "\npublished:\n" in path.read_text()
        and f"#   cilsim reproduce {path.stem}" not in path.read_text()
    ]
    assert missing == []


def test_every_variant_of_a_recipe_passes_the_check() -> None:
    registries = discover().registries
    for path in SCENARIOS:
        scenario = load_scenario(path, registries, with_data=False)
        for entry in scenario.published:
            overrides = [f"{key}={value}" for key, value in entry.when.items()]
            variant = load_scenario(path, registries, overrides, with_data=False)
            assert entry.holds_for(plain_scenario(variant)), path.name
