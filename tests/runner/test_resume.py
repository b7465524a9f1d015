"""A run that was stopped anywhere and goes on ends like one that was never stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cilsim import hookimpl
from cilsim.errors import Interrupted, RunFolderError
from cilsim.records import RunInfo
from cilsim.runner.interruption import StopRequest
from cilsim.testing import Project

Ring = Callable[..., dict[str, Any]]


class StopAfterSteps:
    """Asks the run to stop after so many optimiser steps."""

    def __init__(self, stop: StopRequest, steps: int) -> None:
        self.stop, self.left = stop, steps

    @hookimpl
    def cilsim_training_loss(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.stop.ask()


class StopAfterExperience:
    """Asks the run of one strategy to stop after an experience."""

    def __init__(self, stop: StopRequest, strategy: str, experience: int) -> None:
        self.stop, self.strategy, self.experience = stop, strategy, experience

    @hookimpl
    def cilsim_on_checkpoint(self, run: RunInfo, experience: Any) -> None:
        if (run.strategy, experience.index) == (self.strategy, self.experience):
            self.stop.ask()


def stop_at(project: Project, scenario: Any, name: str, steps: int, **request: Any) -> str:
    """Run until so many steps are done and return what was said."""
    stop = StopRequest()
    with pytest.raises(Interrupted) as raised:
        project.run(
            scenario,
            name,
            stop=stop,
            reporters=lambda start: [StopAfterSteps(stop, steps)],
            **request,
        )
    return str(raised.value)


def everything(project: Project, name: str, strategy: str) -> dict[str, bytes]:
    """Return results and the last stored weights."""
    files = project.files(name, strategy)
    last = files.folder / "checkpoints" / "experience-04" / "tensors.safetensors"
    return {**files.deterministic_bytes(), "weights": last.read_bytes()}


@pytest.mark.parametrize("steps", [1, 7, 8, 12, 79], ids=lambda steps: f"step {steps}")
def test_interrupted_inside_base_training(project: Project, steps: int) -> None:
    scenario = project.ring_scenario("finetune")
    project.run(scenario, "whole")
    stop_at(project, scenario, "parts", steps)
    project.run(scenario, "parts")
    assert everything(project, "parts", "finetune") == everything(project, "whole", "finetune")


@pytest.mark.parametrize("strategy", ["finetune", "joint"])
def test_interrupted_inside_a_later_training(project: Project, strategy: str) -> None:
    scenario = project.ring_scenario(strategy)
    project.run(scenario, "whole")
    stop_at(project, scenario, "parts", 80 + 13)
    project.run(scenario, "parts")
    assert everything(project, "parts", strategy) == everything(project, "whole", strategy)


def test_interrupted_many_times(project: Project) -> None:
    scenario = project.ring_scenario("finetune")
    project.run(scenario, "whole")
    for steps in (3, 30, 50, 7, 100):
        stop_at(project, scenario, "parts", steps)
    project.run(scenario, "parts")
    assert everything(project, "parts", "finetune") == everything(project, "whole", "finetune")


def test_going_on_does_not_repeat_steps(project: Project) -> None:
    scenario = project.ring_scenario("nmc")
    stop_at(project, scenario, "parts", 30)
    counter = StopAfterSteps(StopRequest(), 0)
    project.run(scenario, "parts", reporters=lambda start: [counter])
    assert -counter.left == 80 - 30


def test_the_message_says_where_training_was_stopped(project: Project) -> None:
    message = stop_at(project, project.ring_scenario("nmc"), "parts", 20)
    assert message == "experience 0: training was stopped in epoch 3 of 10"


def test_a_base_finished_after_an_interruption_is_shared_like_any_other(
    project: Project, ring: Ring
) -> None:
    scenario = ring(project, ["nmc", "finetune"])
    project.run(scenario, "whole")
    stop_at(project, scenario, "parts", 30)
    counter = StopAfterSteps(StopRequest(), 0)
    project.run(scenario, "parts", reporters=lambda start: [counter])
    for strategy in ("nmc", "finetune"):
        assert everything(project, "parts", strategy) == everything(project, "whole", strategy)
    assert -counter.left == 50 + 4 * 80  # the rest of the base, then finetune's later experiences


def test_interrupted_in_the_second_of_two_strategies(project: Project, ring: Ring) -> None:
    scenario = ring(project, ["finetune", "nmc"], seeds=[0, 1])
    whole = project.run(scenario, "whole")
    stop = StopRequest()
    stopper = StopAfterExperience(stop, "nmc", 2)
    with pytest.raises(Interrupted) as raised:
        project.run(scenario, "parts", stop=stop, reporters=lambda start: [stopper])
    assert str(raised.value) == "stopped between experiences; the state is saved"
    outcome = project.run(scenario, "parts")
    runs = [(result.run.strategy, result.run.seed) for result in outcome.results]
    assert runs == [("finetune", 0), ("nmc", 0), ("finetune", 1), ("nmc", 1)]
    assert [result.final for result in outcome.results] == [
        result.final for result in whole.results
    ]


def test_a_finished_run_is_not_run_again(project: Project) -> None:
    scenario = project.ring_scenario("finetune")
    first = project.run(scenario)
    counter = StopAfterSteps(StopRequest(), 0)
    second = project.run(scenario, reporters=lambda start: [counter])
    assert counter.left == 0
    assert second.results[0].final == first.results[0].final


def test_status_tells_interrupted_and_how_far(project: Project) -> None:
    scenario = project.ring_scenario("nmc")
    stop_at(project, scenario, "toy", 30)
    status = project.status("toy")
    assert (status["state"], status["progress"]) == ("interrupted", {})
    project.run(scenario)
    status = project.status("toy")
    assert (status["state"], status["error"]) == ("finished", "")
    assert status["progress"] == {"nmc/seed-0": {"experience": 5, "of": 5}}


def test_another_scenario_of_the_same_name_is_refused(project: Project) -> None:
    project.run(project.ring_scenario("nmc"))
    with pytest.raises(RunFolderError) as raised:
        project.run(project.ring_scenario("nmc", seeds=[5]))
    folder = project.folder / "runs" / "toy"
    assert str(raised.value).splitlines() == [
        f"{folder}: holds runs of another version of this scenario, which differs in",
        "  seeds: [0] -> [5]",
        f"give the scenario another name, choose another place with --out, or remove {folder}",
    ]


def test_replayed_evaluations_equal_the_first_ones(project: Project) -> None:
    scenario = project.ring_scenario("nmc")
    first = project.run(scenario).results[0].evaluations
    replayed: list[Any] = []
    project.run(scenario, reporters=lambda start: replayed.extend(start.replay) or [])
    assert [evaluation.values for evaluation in replayed] == [e.values for e in first]
    assert [evaluation.kept for evaluation in replayed] == [e.kept for e in first]
    assert [evaluation.seconds for evaluation in replayed] == [e.seconds for e in first]
