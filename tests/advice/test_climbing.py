"""A climb keeps what is finished, whoever stops it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cilsim.advice.budget import Budget
from cilsim.cli.climbing import Climb
from cilsim.cli.settings import Settings
from cilsim.errors import Interrupted
from cilsim.plugins import discover
from cilsim.runner.request import Failure, ScenarioOutcome
from cilsim.scenario.load import load_text
from cilsim.scenario.schema import Scenario


def climb(tmp_path: Path, seconds: float = 60.0) -> tuple[Climb, Scenario]:
    plugins = discover()
    stream = {"kind": "class_incremental", "dataset": "digits", "experiences": 5}
    text = json.dumps({"name": "mine", "stream": stream, "strategies": ["nmc", "teen"]})
    scenario = load_text(text, "mine", plugins.registries)
    return Climb(plugins, Settings(), tmp_path, "cpu", Budget(seconds)), scenario


def stopped(self: Climb, *_: object) -> ScenarioOutcome:
    raise Interrupted("stopped")


def test_a_user_who_stops_is_told_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Climb, "_outcome", stopped)
    going, scenario = climb(tmp_path)
    with pytest.raises(Interrupted) as caught:
        going.run(scenario)
    assert str(caught.value) == (
        "stopped; what is finished is kept, the same command goes on where it stopped"
    )


def test_a_budget_that_ends_names_what_has_no_finished_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Climb, "_outcome", stopped)
    going, scenario = climb(tmp_path)
    going.budget.spent = True
    going.run(scenario)
    assert (going.results, going.not_tried()) == ([], ["nmc", "teen"])


def test_runs_that_failed_were_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failure = Failure("nmc", 0, "no luck")
    outcome = ScenarioOutcome(tmp_path, (), (failure,))
    monkeypatch.setattr(Climb, "_outcome", lambda *_: outcome)
    going, scenario = climb(tmp_path)
    going.run(scenario)
    going.left_out.append(scenario)
    assert (going.failures, going.not_tried()) == ([failure], ["teen"])


def test_nothing_begins_once_the_budget_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Climb, "_outcome", stopped)
    going, scenario = climb(tmp_path, seconds=0.0)
    going.run(scenario)
    assert going.left_out == [scenario]
