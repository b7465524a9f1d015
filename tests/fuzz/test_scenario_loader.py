"""Whatever a scenario file says: a scenario, or a ScenarioError with line and column."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hostile_scenarios import (
    PIECES,
    VALUES,
    Mutator,
    check_refusal,
    scenario_or_refusal,
    seeds,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cilsim.errors import ScenarioError
from cilsim.scenario.load import load_scenario, load_text
from cilsim.scenario.resolved import resolved_yaml

HUNDREDS = settings(
    max_examples=200, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MUTANTS = 25_000
"""Inputs of each slow case; there are four."""

heaps = st.lists(st.one_of(st.sampled_from(PIECES + VALUES), st.text(max_size=5)), max_size=20)


def encoded(heap: list[str]) -> bytes:
    return "".join(heap).encode("utf-16", "replace")


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="session")
def scenarios(root: Path) -> list[str]:
    return seeds(root / "scenarios")


@pytest.fixture(scope="session")
def resolved(registries) -> dict[str, Any]:
    """Every key that a scenario can have, with a right value."""
    text = "stream: {kind: class_incremental, dataset: digits, increment: 2}\nstrategy: teen\n"
    return yaml.safe_load(resolved_yaml(load_text(text, "fuzz.yaml", registries)))


@HUNDREDS
@given(text=st.one_of(st.text(), heaps.map("".join)))
def test_any_text_is_refused_with_its_place(registries, text):
    assert scenario_or_refusal(text, registries) is None


@HUNDREDS
@given(
    content=st.one_of(
        st.binary(), heaps.map(lambda heap: "".join(heap).encode("utf-16", "replace"))
    )
)
def test_any_bytes_are_refused_with_their_place(registries, content):
    Path("fuzz.yaml").write_bytes(content)
    with pytest.raises(ScenarioError) as refused:
        load_scenario(Path("fuzz.yaml"), registries)
    check_refusal(refused.value)


@HUNDREDS
@given(key=st.integers(0, 10_000), value=json_values)
def test_any_value_of_any_key_is_taken_or_refused_with_its_place(registries, resolved, key, value):
    places = list(places_of(resolved))
    scenario_or_refusal(json.dumps(changed(resolved, places[key % len(places)], value)), registries)


@HUNDREDS
@given(sets=st.lists(heaps.map("".join), min_size=1, max_size=3), key=st.integers(0, 10_000))
def test_any_override_is_taken_or_refused_with_its_text(registries, resolved, sets, key):
    places = list(places_of(resolved))
    named = ".".join(map(str, places[key % len(places)])) + "=" + sets[0]
    scenario_or_refusal(json.dumps(resolved), registries, (named, *sets))


def test_every_key_refuses_what_it_cannot_be(registries, resolved):
    nonsense = {"no such key": [1, "x"]}
    for place in places_of(resolved):
        text = json.dumps(changed(resolved, place, nonsense))
        assert scenario_or_refusal(text, registries) is None, place


def test_hundreds_of_mutants_are_scenarios_or_refused_with_their_place(registries, scenarios):
    mutator = Mutator(scenarios, seed=0)
    found = [scenario_or_refusal(mutator.text(), registries) for _ in range(500)]
    assert 0 < sum(scenario is not None for scenario in found) < 250


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_many_mutants_are_scenarios_or_refused_with_their_place(registries, scenarios, seed):
    mutator = Mutator(scenarios, seed)
    found = [scenario_or_refusal(mutator.text(), registries) is not None for _ in range(MUTANTS)]
    assert len(found) == MUTANTS
    assert 0 < sum(found) < MUTANTS // 2


def places_of(content: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the keys and indices that lead to every value."""
    inner = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in inner:
        yield (*above, key)
        if isinstance(value, dict | list):
            yield from places_of(value, (*above, key))


def changed(content: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Return plain data with one value replaced."""
    key, *below = place
    new = value if not below else changed(content[key], tuple(below), value)
    if isinstance(content, dict):
        return {**content, key: new}
    return [*content[:key], new, *content[key + 1 :]]
