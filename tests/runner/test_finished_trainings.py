"""Trainings that an interrupted experience has behind it are taken over, not done again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cilsim import Batch, Experience, Strategy, TrainingLoss, hookimpl
from cilsim.errors import Interrupted
from cilsim.registry import Register
from cilsim.report.scalar_log import ScalarLog, read_scalars
from cilsim.runner.interruption import StopRequest
from cilsim.runner.request import RunStart
from cilsim.testing import Project

STEPS_OF_ONE = 80
"""Ten epochs of 120 samples, 16 at a time."""


class Thrice(Strategy):
    """Trains three times in each experience and reports what only its loss has seen."""

    def learn(self, experience: Experience) -> None:
        if experience.index == 0:
            self.context.train_base(experience)
        else:
            self.context.fit(experience.labelled)
        self.context.log("before_the_last", self.context.head.weight.detach().sum())
        for _ in range(2):
            self.context.fit(experience.labelled)

    def loss(self, batch: Batch) -> TrainingLoss:
        result = super().loss(batch)
        if batch.epoch == 0 and batch.step == 0:
            self.context.log("first_loss", result.total.detach())
        return result


class Adds:
    cilsim_api = 1

    @hookimpl
    def cilsim_register_strategies(self, register: Register) -> None:
        register("thrice", Thrice)


class StopAt:
    """Asks to stop at a step and counts the steps that are done."""

    def __init__(self, stop: StopRequest, step: int) -> None:
        self.stop, self.step, self.steps = stop, step, 0

    @hookimpl
    def cilsim_training_loss(self) -> None:
        self.steps += 1
        if self.steps == self.step:
            self.stop.ask()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path, (("adds", Adds()),))


def scenario(project: Project, every: str = "5epochs") -> dict[str, Any]:
    return project.ring_scenario("thrice", checkpoints={"every": every})


def run(
    project: Project, name: str, stop_at: int = -1, every: str = "5epochs", **request: Any
) -> int:
    """Run or go on until a step, if given; return how many steps were done."""
    stop = StopRequest()
    counter = StopAt(stop, stop_at)

    def reporters(start: RunStart) -> list[object]:
        past = read_scalars(start.run.folder, start.resume_step) if start.resume_step else []
        return [counter, ScalarLog(past)]

    def start() -> None:
        project.run(scenario(project, every), name, stop=stop, reporters=reporters, **request)

    if stop_at < 0:
        start()
    else:
        with pytest.raises(Interrupted):
            start()
    return counter.steps


def everything(project: Project, name: str) -> dict[str, Any]:
    """Return results, weights and the training curves without what tells the time."""
    files = project.files(name, "thrice")
    curves = [(one.step, without_speed(one.values)) for one in read_scalars(files.folder)]
    last = files.folder / "checkpoints" / "experience-04"
    weights = (last / "tensors.safetensors").read_bytes()
    return {**files.deterministic_bytes(), "weights": weights, "curves": curves}


def without_speed(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name != "train/images_per_s"}


@pytest.mark.parametrize("cache", [True, False], ids=["cache", "no cache"])
@pytest.mark.parametrize("training", [0, 1, 2])
def test_steps_of_finished_trainings_are_not_done_again(
    project: Project, training: int, cache: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CILSIM_CACHE", str(project.folder / "cache of the whole"))
    whole = run(project, "whole", cache=cache)
    monkeypatch.setenv("CILSIM_CACHE", str(project.folder / "cache of the parts"))
    done = training * STEPS_OF_ONE + 13
    assert run(project, "parts", done, cache=cache) == done
    assert run(project, "parts", cache=cache) == whole - done
    assert everything(project, "parts") == everything(project, "whole")


def test_interrupted_in_every_training(project: Project) -> None:
    whole = run(project, "whole")
    steps = [run(project, "parts", STEPS_OF_ONE // 2 + 7) for _ in range(6)]
    assert sum(steps) + run(project, "parts") == whole
    assert everything(project, "parts") == everything(project, "whole")


def test_a_damaged_result_is_done_again(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    run(project, "whole")
    run(project, "parts", STEPS_OF_ONE + 13)
    [path] = project.files("parts", "thrice").folder.glob("**/finished-00/tensors.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    run(project, "parts")
    assert any(str(path) in message for message in caplog.messages)
    assert everything(project, "parts") == everything(project, "whole")


def test_short_trainings_are_not_stored_where_states_are_rarer(project: Project) -> None:
    run(project, "parts", 2 * STEPS_OF_ONE + 13, every="1h")
    [stored] = project.files("parts", "thrice").folder.glob("checkpoints/training-00/*")
    assert stored.name == "00"  # the state in which it was stopped
    run(project, "whole", every="1h")
    run(project, "parts", every="1h")
    assert everything(project, "parts") == everything(project, "whole")


def test_a_finished_experience_leaves_nothing_of_its_trainings(project: Project) -> None:
    run(project, "whole")
    checkpoints = project.files("whole", "thrice").folder / "checkpoints"
    assert sorted(path.name for path in checkpoints.iterdir()) == ["experience-03", "experience-04"]


def test_how_often_a_training_is_stored_belongs_to_no_hash(project: Project) -> None:
    run(project, "parts", 200, every="5epochs")
    run(project, "parts", every="10m")  # the same run folder goes on
    assert project.status("parts")["state"] == "finished"
