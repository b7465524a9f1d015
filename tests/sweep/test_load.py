from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cilsim.errors import ScenarioError
from cilsim.registry import Registries
from cilsim.scenario.load import load_scenario
from cilsim.scenario.resolved import resolved_yaml
from cilsim.sweep.load import Sweep

Load = Callable[[str], Sweep]


def complaint(load: Load, text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(text)
    return str(caught.value)


def test_every_strategy_runs_with_every_seed(load: Load) -> None:
    sweep = load("scenarios: [digits.yaml]")

    assert sweep.name == "sweep"
    assert (sweep.retries, sweep.timeout) == (2, None)
    assert [(cell.number, cell.name) for cell in sweep.cells] == [
        (0, "digits--nmc--seed-0"),
        (1, "digits--nmc--seed-1"),
        (2, "digits--far--seed-0"),
        (3, "digits--far--seed-1"),
    ]


def test_every_combination_of_options_runs(load: Load) -> None:
    sweep = load(
        """\
name: grid
scenarios: [digits.yaml]
strategies: [nmc]
seeds: 7
set: {stream.increment: [2, 3], head.kind: [linear, cosine], evaluate.batch_size: 64}
retries: 0
timeout: 30m
"""
    )

    assert (sweep.name, sweep.retries, sweep.timeout) == ("grid", 0, 1800)
    assert [cell.name for cell in sweep.cells] == [
        f"digits--stream.increment-{increment}--head.kind-{head}--evaluate.batch-size-64"
        "--nmc--seed-7"
        for increment in (2, 3)
        for head in ("linear", "cosine")
    ]
    last = sweep.cells[-1]
    assert last.settings == {
        "stream.increment": 3,
        "head.kind": "cosine",
        "evaluate.batch_size": 64,
    }
    assert last.scenario.head.kind == "cosine"
    assert last.scenario.evaluate.batch_size == 64
    assert last.scenario.seeds == (7,)


def test_runs_of_one_strategy_come_before_those_that_may_share_their_base(load: Load) -> None:
    sweep = load("{scenarios: [digits.yaml], set: {stream.increment: [2, 3]}}")

    assert [(cell.strategy, cell.settings["stream.increment"], cell.seed) for cell in sweep.cells][
        :5
    ] == [("nmc", 2, 0), ("nmc", 2, 1), ("nmc", 3, 0), ("nmc", 3, 1), ("far", 2, 0)]


def test_strategies_of_the_sweep_take_the_place_of_the_scenarios(load: Load) -> None:
    sweep = load("{scenarios: [digits.yaml], strategies: [{name: nmc, as: n, metric: cosine}]}")

    assert [cell.strategy for cell in sweep.cells] == ["n", "n"]
    assert sweep.cells[0].scenario.strategies[0].options.model_dump()["metric"] == "cosine"


def test_a_cell_is_the_scenario_that_an_ordinary_run_would_have(
    load: Load, registries: Registries
) -> None:
    cell = load("{scenarios: [digits.yaml], set: {stream.increment: [3]}}").cells[0]

    given = ["stream.increment=3", "strategies=[nmc]", "seeds=[0]", f"name={cell.name}"]
    assert resolved_yaml(cell.scenario) == resolved_yaml(
        load_scenario(Path("digits.yaml"), registries, given)
    )


def test_a_cell_keeps_its_name_when_the_sweep_grows(load: Load) -> None:
    few = load("{scenarios: [digits.yaml], seeds: [0], set: {stream.increment: [2]}}")
    many = load("{scenarios: [digits.yaml], seeds: [0, 1], set: {stream.increment: [1, 2]}}")

    assert {cell.name for cell in few.cells} < {cell.name for cell in many.cells}


def test_all_mistakes_are_told_at_once_and_where_they_are_written(load: Load) -> None:
    text = """\
scenarios: [digits.yaml, digit.yaml]
strategies: [nmc, {name: teen, calibration_wieght: 1}]
set:
  stream.increment: [2, two]
  head.temprature: 8
"""
    assert complaint(load, text).splitlines() == [
        "sweep.yaml:1:26: scenarios.1: digit.yaml: no such file; did you mean 'digits.yaml'?",
        "     1 | scenarios: [digits.yaml, digit.yaml]",
        "       |                          ^",
        "sweep.yaml:2:32: strategies.1.calibration_wieght: unknown key"
        "; did you mean 'calibration_weight'?",
        "     2 | strategies: [nmc, {name: teen, calibration_wieght: 1}]",
        "       |                                ^",
        "sweep.yaml:4:25: set.stream.increment: digits.yaml: expected an integer, found 'two'",
        "     4 |   stream.increment: [2, two]",
        "       |                         ^",
        "sweep.yaml:5:20: set.head.temprature: digits.yaml: unknown key"
        "; did you mean 'temperature'?",
        "     5 |   head.temprature: 8",
        "       |                    ^",
    ]


def test_a_mistake_in_a_scenario_is_told_once_however_many_combinations(load: Load) -> None:
    text = Path("digits.yaml").read_text()
    Path("digits.yaml").write_text(text.replace("strategies", "strategis"))

    assert (
        complaint(load, "{scenarios: [digits.yaml], set: {stream.increment: [2, 3]}}").count(
            "digits.yaml:4:1: strategis: unknown key; did you mean 'strategies'?"
        )
        == 1
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "scenario: [digits.yaml]",
            "sweep.yaml:1:1: 'scenarios' is missing: Scenario files, relative to the folder of "
            "the sweep file\n"
            "     1 | scenario: [digits.yaml]\n"
            "       | ^\n"
            "sweep.yaml:1:1: scenario: unknown key; did you mean 'scenarios'?\n"
            "     1 | scenario: [digits.yaml]\n"
            "       | ^",
        ),
        (
            "[digits.yaml]",
            "sweep.yaml:1:1: expected keys and values such as 'scenarios: [...]', found a list\n"
            "     1 | [digits.yaml]\n"
            "       | ^",
        ),
        (
            "scenarios: [digits.yaml]\nset: {seeds: [1], stream.increment: []}",
            "sweep.yaml:2:7: set.seeds: cannot be set; 'seeds' is a key of the sweep itself\n"
            "     2 | set: {seeds: [1], stream.increment: []}\n"
            "       |       ^\n"
            "sweep.yaml:2:37: set.stream.increment: expected at least 1 entry, found 0\n"
            "     2 | set: {seeds: [1], stream.increment: []}\n"
            "       |                                     ^",
        ),
        (
            "scenarios: [digits.yaml]\ntimeout: 5 days",
            "sweep.yaml:2:10: timeout: expected a time such as 90s, 30m or 12h, found '5 days'\n"
            "     2 | timeout: 5 days\n"
            "       |          ^",
        ),
        (
            "scenarios: [digit.yaml]",
            "sweep.yaml:1:13: scenarios.0: digit.yaml: no such file; did you mean "
            "'digits.yaml'?\n"
            "     1 | scenarios: [digit.yaml]\n"
            "       |             ^",
        ),
        (
            "scenarios: [digits.yaml]\nset: {stream.increment: [2, two]}",
            "sweep.yaml:2:29: set.stream.increment: digits.yaml: expected an integer, found "
            "'two'\n"
            "     2 | set: {stream.increment: [2, two]}\n"
            "       |                             ^",
        ),
    ],
    ids=["missing", "list", "own-key", "timeout", "no-file", "value"],
)
def test_a_mistake_is_told_with_its_line(text: str, message: str, load: Load) -> None:
    assert complaint(load, text) == message


def test_two_scenarios_of_one_name_are_refused(load: Load) -> None:
    Path("other.yaml").write_text(Path("digits.yaml").read_text())

    assert complaint(load, "scenarios: [digits.yaml, other.yaml]") == (
        "sweep.yaml:1:26: scenarios.1: the name 'digits' is that of digits.yaml; "
        "give one of them another 'name'\n"
        "     1 | scenarios: [digits.yaml, other.yaml]\n"
        "       |                          ^"
    )


def test_a_sweep_of_too_many_runs_is_refused_before_they_are_listed(load: Load) -> None:
    values = ", ".join(map(str, range(400)))
    text = f"scenarios: [digits.yaml]\nset: {{a.b: [{values}], c.d: [{values}]}}"

    assert complaint(load, text).splitlines()[0] == (
        "sweep.yaml:1:1: set: 160,000 combinations; a sweep has at most 100,000 runs"
    )
