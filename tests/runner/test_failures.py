"""A strategy that fails is named in one line, and the other runs of the command go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from cilsim import Calibrator, Strategy, hookimpl
from cilsim.registry import Register
from cilsim.runner.request import ScenarioOutcome
from cilsim.testing import Project

Ring = Callable[..., dict[str, Any]]
ProjectWith = Callable[..., Project]
IDENTITY = {"backbone": "identity"}


class Quiet(Strategy):
    """Learns nothing."""

    def learn(self, experience: Any) -> None:
        pass

    def scores(self, x: Tensor) -> Tensor:
        return x.new_zeros(len(x), self.context.seen_classes)


class RaisesInSetup(Quiet):
    def setup(self) -> None:
        raise ValueError("no memory of that size")


class RaisesInLearn(Quiet):
    def learn(self, experience: Any) -> None:
        if experience.index == 2:
            raise KeyError("means")


class RaisesWithinALibrary(Quiet):
    def learn(self, experience: Any) -> None:
        json.loads("")


class TooFewScores(Quiet):
    def scores(self, x: Tensor) -> Tensor:
        return x.new_zeros(len(x), 2)


class NotATensor(Quiet):
    def scores(self, x: Tensor) -> Any:
        return [0] * len(x)


class NotANumber(Quiet):
    def scores(self, x: Tensor) -> Tensor:
        return super().scores(x) + (torch.nan if self.context.seen_classes > 4 else 0.0)


class TooFewPrototypes(Quiet):
    def learn(self, experience: Any) -> None:
        self.prototypes = torch.zeros(2, 2)


class InfiniteLog(Quiet):
    def learn(self, experience: Any) -> None:
        self.context.log("size", float("inf"))


class Misspells(Quiet):
    @hookimpl
    def cilsim_after_evalution(self) -> None:
        """Would never be called."""


class Recalls(Quiet):
    def learn(self, experience: Any) -> None:
        if experience.index == 1:
            self.context.recall(torch.tensor([599]))


class NotAStrategy:
    def __init__(self, options: Any, context: Any) -> None:
        pass


class NotStorable(Quiet):
    def state_dict(self) -> dict[str, Any]:
        return {"self": self}


BROKEN = {
    "raises_in_setup": (
        RaisesInSetup,
        "setup() of strategy 'raises_in_setup': ValueError: no memory of that size",
    ),
    "raises_in_learn": (
        RaisesInLearn,
        "learn() of strategy 'raises_in_learn', experience 2: KeyError: 'means'",
    ),
    "raises_within_a_library": (
        RaisesWithinALibrary,
        "learn() of strategy 'raises_within_a_library', experience 0: JSONDecodeError: Expecting "
        "value: line 1 column 1 (char 0)",
    ),
    "too_few_scores": (
        TooFewScores,
        "scores() of strategy 'too_few_scores', experience 1: it returned shape (120, 2), "
        "expected (120, 4)",
    ),
    "not_a_tensor": (
        NotATensor,
        "scores() of strategy 'not_a_tensor', experience 0: it returned a value of type 'list', "
        "expected a tensor of shape (60, 2)",
    ),
    "not_a_number": (
        NotANumber,
        "scores() of strategy 'not_a_number', experience 2: it returned NaN",
    ),
    "too_few_prototypes": (
        TooFewPrototypes,
        "learn() of strategy 'too_few_prototypes', experience 1: prototypes have shape (2, 2), "
        "expected (4, D)",
    ),
    "infinite_log": (
        InfiniteLog,
        "log() by strategy 'infinite_log', experience 0: 'strategy/size' is inf, "
        "expected a finite number",
    ),
    "misspells": (
        Misspells,
        "strategy 'misspells': there is no hook 'cilsim_after_evalution'; "
        "did you mean 'cilsim_after_evaluation'?",
    ),
    "recalls": (
        Recalls,
        "learn() of strategy 'recalls', experience 1: ValueError: sample 599 was never given to "
        "the strategy and cannot be recalled",
    ),
    "not_a_strategy": (
        NotAStrategy,
        "strategy 'not_a_strategy': it is a NotAStrategy, expected a subclass of cilsim.Strategy",
    ),
    "missing": (
        "nowhere:Strategy",
        "strategy 'missing' cannot be loaded from 'nowhere:Strategy': "
        "ModuleNotFoundError: No module named 'nowhere'",
    ),
}


class Broken:
    """Registers every broken strategy, calibrators and a metric."""

    cilsim_api = 1

    @hookimpl
    def cilsim_register_strategies(self, register: Register) -> None:
        for name, (strategy, _) in BROKEN.items():
            register(name, strategy)
        register("not_storable", NotStorable)


@pytest.fixture
def run(project_with: ProjectWith, ring: Ring) -> Callable[..., tuple[Project, ScenarioOutcome]]:
    def execute(*strategies: Any, **plugins: Any) -> tuple[Project, ScenarioOutcome]:
        project = project_with(broken=Broken(), **plugins)
        return project, project.run(ring(project, strategies, **IDENTITY))

    return execute


@pytest.mark.parametrize("name", BROKEN)
def test_a_failing_strategy_gives_one_line_and_stops_no_other_run(run: Any, name: str) -> None:
    _, outcome = run(name, "nmc")
    assert [(f.strategy, f.seed, f.message) for f in outcome.failures] == [
        (name, 0, f"plugin 'broken' of this process: {BROKEN[name][1]}")
    ]
    assert [result.run.strategy for result in outcome.results] == ["nmc"]


def test_a_state_that_cannot_be_stored_is_one_line(run: Any) -> None:
    _, outcome = run("not_storable", "nmc")
    assert [failure.message for failure in outcome.failures] == [
        "plugin 'broken' of this process: state_dict() of strategy 'not_storable', experience 0: "
        f"state['strategy']['self']: {__name__}.NotStorable cannot be stored; tensors, arrays, "
        "numbers, text, booleans, None, lists, tuples and dictionaries can"
    ]
    assert [result.run.strategy for result in outcome.results] == ["nmc"]


def test_what_was_written_before_the_failure_stays_readable(run: Any) -> None:
    project, _ = run("raises_in_learn")
    files = project.files("toy", "raises_in_learn")
    assert {experience for experience, _ in files.metrics()} == {0, 1}
    assert [len(stored["predicted"]) for stored in files.predictions()] == [60, 120]


def test_the_status_names_the_failed_run(run: Any) -> None:
    project, _ = run("raises_in_learn", "nmc")
    status = project.status("toy")
    assert status["state"] == "failed"
    assert status["error"] == (
        "raises_in_learn/seed-0: plugin 'broken' of this process: learn() of strategy "
        "'raises_in_learn', experience 2: KeyError: 'means'"
    )


def test_a_broken_plugin_stops_no_run_that_does_not_use_it(
    project_with: ProjectWith, ring: Ring
) -> None:
    project = project_with(wrong=object())
    assert len(project.plugins.broken) == 1
    assert not project.run(ring(project, ["nmc"], **IDENTITY)).failures


def test_a_failing_calibrator_is_named(run: Any) -> None:
    class TooLong(Calibrator):
        def calibrate(self, prototypes: Any, experience: Any) -> None:
            prototypes.update([0], torch.zeros(1, 3), by=self.name)

    class Adds:
        cilsim_api = 1

        @hookimpl
        def cilsim_register_calibrators(self, register: Register) -> None:
            register("too_long", TooLong)

    _, outcome = run({"name": "nmc", "calibrators": ["too_long"]}, adds=Adds())
    assert [failure.message for failure in outcome.failures] == [
        "plugin 'adds' of this process: calibrate() of calibrator 'too_long', experience 0: "
        "'too_long' cannot change prototypes: the rows have shape (1, 3); expected (1, 2)"
    ]


def test_something_that_is_no_calibrator_is_named(run: Any) -> None:
    class Adds:
        cilsim_api = 1

        @hookimpl
        def cilsim_register_calibrators(self, register: Register) -> None:
            register("strange", lambda options, name: "strange")

    _, outcome = run({"name": "nmc", "calibrators": ["strange"]}, adds=Adds())
    assert [failure.message for failure in outcome.failures] == [
        "plugin 'adds' of this process: calibrator 'strange': it is a str, "
        "expected a subclass of cilsim.Calibrator"
    ]


@pytest.mark.parametrize(
    ("metric", "line"),
    [
        (lambda history, stream: {}["accuracy"], "KeyError: 'accuracy'"),
        (
            lambda history, stream: "good",
            "it returned a value of type 'str', expected a finite number, or None where the "
            "metric has no meaning",
        ),
    ],
    ids=["raises", "text"],
)
def test_a_failing_metric_is_named(run: Any, metric: Any, line: str) -> None:
    class Adds:
        cilsim_api = 1

        @hookimpl
        def cilsim_register_metrics(self, register: Register) -> None:
            register("mine", metric)

    _, outcome = run("nmc", adds=Adds())
    assert [failure.message for failure in outcome.failures] == [
        f"plugin 'adds' of this process: metric 'mine', experience 0: {line}"
    ]


def test_an_error_of_the_engine_keeps_its_traceback(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*arguments: Any, **keywords: Any) -> None:
        raise ZeroDivisionError("a bug of the engine")

    monkeypatch.setattr("cilsim.runner.evaluation._predictions", bug)
    with pytest.raises(ZeroDivisionError, match="a bug of the engine"):
        project.run(project.ring_scenario("nmc", **IDENTITY))
