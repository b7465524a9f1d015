"""Whatever a hook or a method of a plugin raises is one line, and the other runs go on."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from strangers import (
    DISCOVERY,
    INCREMENTAL,
    RAISING,
    SERVES,
    WHO,
    Command,
    Diligent,
    run_command,
)

from cilsim import Calibrator, hookimpl, hookspecs
from cilsim.registry import Register

FIRST = {"cilsim_before_run": "", "cilsim_after_run": ", experience 1"}
"""When hooks that do not belong to experience 0 are first called."""

HOOKS = [
    name
    for name in vars(hookspecs)
    if name.startswith("cilsim_") and not name.startswith("cilsim_register_")
]
METHODS = [
    *("__init__", "setup", "learn", "after_calibration", "loss", "transform_batch"),
    *("parameter_groups", "after_backward", "scores", "assign", "state_dict", "kept"),
]
CALIBRATOR_METHODS = ["__init__", "calibrate", "adjust_scores"]
ONLY_IN_DISCOVERY = {"cilsim_assign", "assign"}


OF_A_STEP = {"loss", "transform_batch", "after_backward", "cilsim_training_loss"}


def cases(names: list[str]) -> list[tuple[str, str]]:
    # without memory for a step the batch is halved, so that its owner has done nothing wrong
    pairs = itertools.product(names, RAISING)
    return [pair for pair in pairs if pair[0] not in OF_A_STEP or pair[1] != "memory"]


def label(name: str, misdeed: str) -> str:
    return f"{name}-{misdeed}"


def of_stream(names: list[str], discovery: bool) -> list[tuple[str, str]]:
    return [case for case in cases(names) if (case[0] in ONLY_IN_DISCOVERY) == discovery]


def hook(name: str) -> Any:
    """Return an implementation that misbehaves in the run whose label asks for it."""

    def implementation(run: Any) -> None:
        wanted, _, misdeed = run.strategy.partition("-")
        if wanted == name:
            RAISING[misdeed][0]()

    return staticmethod(hookimpl(specname=name)(implementation))


def misbehaving(kind: type, method: str, misdeed: str) -> type:
    return type("Misbehaving", (kind,), {method: lambda self, *_: RAISING[misdeed][0]()})


class Registers:
    """Registers a strategy for each method and misdeed, and calibrators likewise."""

    @hookimpl
    def cilsim_register_strategies(self, register: Register) -> None:
        register("diligent", Diligent, serves=SERVES)
        for method, misdeed in cases(METHODS):
            strategy = misbehaving(Diligent, method, misdeed)
            register(label(method, misdeed), strategy, serves=SERVES)

    @hookimpl
    def cilsim_register_calibrators(self, register: Register) -> None:
        for method, misdeed in cases(CALIBRATOR_METHODS):
            register(label(method, misdeed), misbehaving(Calibrator, method, misdeed))


EveryHook = type("EveryHook", (Registers,), {name: hook(name) for name in HOOKS})
Commands = Callable[[str], Command]


@pytest.fixture(scope="module")
def raising_hooks(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """One command per stream; in each of its runs another hook raises something."""

    def run(stream: dict[str, Any], discovery: bool) -> Command:
        chosen = [label(*case) for case in of_stream(HOOKS, discovery)]
        strategies = [{"name": "diligent", "as": one} for one in [*chosen, "good"]]
        return run_command(tmp_path_factory.mktemp("hooks"), EveryHook(), strategies, stream)

    both = run(INCREMENTAL, False), run(DISCOVERY, True)
    return lambda name: both[name in ONLY_IN_DISCOVERY]


@pytest.fixture(scope="module")
def raising_methods(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """The same for the methods of a strategy."""

    def run(stream: dict[str, Any], discovery: bool) -> Command:
        chosen = [label(*case) for case in of_stream(METHODS, discovery)]
        strategies = [*chosen, "diligent"]
        return run_command(tmp_path_factory.mktemp("methods"), Registers(), strategies, stream)

    both = run(INCREMENTAL, False), run(DISCOVERY, True)
    return lambda name: both[name in ONLY_IN_DISCOVERY]


@pytest.fixture(scope="module")
def raising_calibrators(tmp_path_factory: pytest.TempPathFactory) -> Command:
    chosen = [label(*case) for case in cases(CALIBRATOR_METHODS)]
    strategies = [{"name": "diligent", "as": f"x{one}", "calibrators": [one]} for one in chosen]
    return run_command(tmp_path_factory.mktemp("calibrators"), Registers(), strategies)


@pytest.mark.parametrize(
    ("name", "misdeed"), [case for case in cases(HOOKS) if case[0] != "cilsim_on_run_error"]
)
def test_a_hook_that_raises_is_named(raising_hooks: Commands, name: str, misdeed: str) -> None:
    when = FIRST.get(name, f", experience {int(name in ONLY_IN_DISCOVERY)}")

    found = raising_hooks(name).messages[label(name, misdeed)]

    assert found == f"{WHO}{name}{when}: {RAISING[misdeed][1]}"


@pytest.mark.parametrize("name", ["cilsim_scores", "cilsim_assign"])
def test_runs_without_a_misdeed_finish(raising_hooks: Commands, name: str) -> None:
    # the hook that is called when a run fails has nothing to say about one that does not
    quiet = {label("cilsim_on_run_error", one) for one in RAISING if name == "cilsim_scores"}
    assert raising_hooks(name).finished == {"good", *quiet}


@pytest.mark.parametrize(("method", "misdeed"), cases(METHODS))
def test_a_method_that_raises_is_named(
    raising_methods: Commands, method: str, misdeed: str
) -> None:
    one = label(method, misdeed)
    when = f", experience {int(method in ONLY_IN_DISCOVERY)}"
    when = "" if method in ("__init__", "setup") else when

    found = raising_methods(method).messages[one]

    assert found == f"{WHO}{method}() of strategy '{one}'{when}: {RAISING[misdeed][1]}"


@pytest.mark.parametrize("method", ["learn", "assign"])
def test_strategies_without_a_misdeed_finish(raising_methods: Commands, method: str) -> None:
    assert raising_methods(method).finished == {"diligent"}


@pytest.mark.parametrize(("method", "misdeed"), cases(CALIBRATOR_METHODS))
def test_a_calibrator_that_raises_is_named(
    raising_calibrators: Command, method: str, misdeed: str
) -> None:
    one = label(method, misdeed)
    when = "" if method == "__init__" else ", experience 0"

    found = raising_calibrators.messages[f"x{one}"]

    assert found == f"{WHO}{method}() of calibrator '{one}'{when}: {RAISING[misdeed][1]}"


def test_the_traceback_lies_in_the_folder_of_the_run(raising_methods: Commands) -> None:
    folder = raising_methods("learn").project.folder / "runs" / "toy" / "learn-key" / "seed-0"

    lines = (folder / "error.txt").read_text().splitlines()

    assert lines[0] == "Traceback (most recent call last):"
    assert "KeyError: 'mean'" in lines
    assert lines[-1] == (
        f"cilsim.errors.PluginFailed: {WHO}learn() of strategy 'learn-key', experience 0: "
        "KeyError: 'mean'"
    )


def test_a_strategy_that_cannot_take_back_its_state_is_named(tmp_path: Path) -> None:
    class Forgetful(Diligent):
        def learn(self, experience: Any) -> None:
            if experience.index == 1:
                raise RuntimeError("not yet")
            super().learn(experience)

        def load_state_dict(self, state: Any) -> None:
            raise KeyError("old_means")

    class Plugin:
        @hookimpl
        def cilsim_register_strategies(self, register: Register) -> None:
            register("forgetful", Forgetful)

    run_command(tmp_path, Plugin(), ["forgetful"])
    again = run_command(tmp_path, Plugin(), ["forgetful"])

    assert again.messages == {
        "forgetful": f"{WHO}load_state_dict() of strategy 'forgetful': KeyError: 'old_means'"
    }
