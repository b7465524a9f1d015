"""Whatever is written in a file: a scenario or a ScenarioError, nothing else."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cilsim.errors import ScenarioError
from cilsim.registry import Registries
from cilsim.scenario.load import load_scenario, load_text
from cilsim.scenario.resolved import difference, resolved_yaml
from cilsim.scenario.schema import Scenario

FEW = settings(
    max_examples=120,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
MANY = settings(FEW, max_examples=5000)

PIECES = [
    "\t", "\n", " ", "- ", "? ", ": ", "{", "}", "[", "]", ",", "&a ", "*a", "!!int ", "!<x>",
    "<<: ", "---\n", "...\n", "%YAML 1.1\n", "%TAG ! x\n", "|\n", ">-\n", "'", '"', '"\\x"',
    '"\\ud800"', '"\\0"', '"\\U00110000"', "\x00", "\ufeff", "\ud800", "\u2028", "\x85", "9" * 5000,
    "1e999", ".inf", "null", "true", "no", "0o7", "é", "名", "#", "@", "`", "x" * 2000,
]  # fmt: skip

mutations = st.lists(
    st.tuples(
        st.integers(0, 700),
        st.integers(0, 12),
        st.one_of(st.sampled_from(PIECES), st.text(max_size=4)),
    ),
    min_size=1,
    max_size=6,
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
overrides = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.builds(
            lambda parts, value: f"{'.'.join(parts)}={value}",
            st.lists(
                st.sampled_from(
                    ["strategy", "strategies", "0", "1", "name", "stream", "dataset", "training",
                     "calibrators", "backbone", "seeds", "head", "as", "class_order", "lr"]
                ),
                min_size=1,
                max_size=5,
            ),
            st.one_of(st.sampled_from(PIECES), st.text(max_size=8), scalars.map(str)),
        ),
    ),
    max_size=4,
)  # fmt: skip


def mutate(text: str, changes: list[tuple[int, int, str]]) -> str:
    for place, length, piece in changes:
        text = text[:place] + piece + text[place + length :]
    return text


def scenario_or_refusal(text: str, registries: Registries, sets: tuple[str, ...] = ()) -> None:
    try:
        scenario = load_text(text, "fuzz.yaml", registries, sets)
    except ScenarioError as error:
        refusal = error
    else:
        assert_survives_resolving(scenario, registries)
        return
    assert refusal.problems
    assert str(refusal).encode("utf-8", "replace")
    assert all("\n" not in problem.message for problem in refusal.problems)


def assert_survives_resolving(scenario: Scenario, registries: Registries) -> None:
    resolved = resolved_yaml(scenario)
    assert load_text(resolved, "fuzz.yaml", registries) == scenario
    assert difference(resolved, resolved) == []


def bytes_or_refusal(content: bytes, registries: Registries, folder: Path) -> None:
    path = folder / "fuzz.yaml"
    path.write_bytes(content)
    with contextlib.suppress(ScenarioError):
        assert isinstance(load_scenario(path, registries), Scenario)


@FEW
@given(text=st.text())
def test_any_text_is_a_scenario_or_refused(registries, text):
    scenario_or_refusal(text, registries)


@FEW
@given(content=st.binary())
def test_any_bytes_are_a_scenario_or_refused(registries, tmp_path, content):
    bytes_or_refusal(content, registries, tmp_path)


@FEW
@given(changes=mutations)
def test_a_damaged_scenario_is_a_scenario_or_refused(registries, full, changes):
    scenario_or_refusal(mutate(full, changes), registries)


@FEW
@given(sets=overrides)
def test_any_overrides_give_a_scenario_or_are_refused(registries, full, short, sets):
    scenario_or_refusal(full, registries, tuple(sets))
    scenario_or_refusal(short, registries, tuple(sets))


@pytest.mark.slow
@MANY
@given(changes=mutations, sets=overrides)
def test_a_much_damaged_scenario_is_a_scenario_or_refused(registries, full, changes, sets):
    scenario_or_refusal(mutate(full, changes), registries, tuple(sets))


@pytest.mark.slow
@MANY
@given(
    pieces=st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=30),
    content=st.binary(max_size=40),
)
def test_any_heap_of_yaml_is_a_scenario_or_refused(registries, tmp_path, pieces, content):
    scenario_or_refusal("".join(pieces), registries)
    bytes_or_refusal("".join(pieces).encode("utf-8", "replace") + content, registries, tmp_path)
