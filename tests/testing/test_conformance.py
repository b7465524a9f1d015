"""`cilsim plugin check` finds each broken promise, and says what was found and what helps."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from pydantic import Field
from torch import Tensor
from toy_strategies import DrawsFromNowhere, ForgetsItsState, KeepsInSecret, Means

from cilsim import Experience, Options, Strategy, hookimpl
from cilsim.data.dataset import DataSet
from cilsim.errors import CilsimError
from cilsim.plugins import Plugins, discover
from cilsim.runner.planning import plan_stream
from cilsim.scenario.load import load_scenario
from cilsim.testing.conformance import PROMISES, Checkup, subjects, verdicts
from cilsim.testing.trial import Trial
from cilsim.testing.trial_streams import STREAMS, TESTS
from cilsim.testing.verdicts import Verdict


class Trains(Means):
    """Fine-tunes first."""

    def learn(self, experience: Experience) -> None:
        self.context.fit(experience.labelled)
        super().learn(experience)


class TrainsAndForgetsItsState(Trains, ForgetsItsState):
    pass


class ForgetsItsSecondExperience(Means):
    """Leaves out of its state what it learns in experience 1 alone."""

    def setup(self) -> None:
        self.shift = 0

    def learn(self, experience: Experience) -> None:
        super().learn(experience)
        if experience.index == 1:
            self.shift = 1

    def scores(self, x: Tensor) -> Tensor:
        return super().scores(x).roll(self.shift, 1)


class CallsALearnThatIsNone(Means):
    """Has one name a letter off, and one that only resembles a method."""

    def lern(self, experience: Experience) -> None:
        """Do what nobody asks for."""

    def losses(self) -> list[float]:
        return []


class StoresAnObject(Means):
    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "options": self.options}


class ReturnsTooFewScores(Means):
    def scores(self, x: Tensor) -> Tensor:
        return super().scores(x)[:, 1:]


class WritesThroughNumpy(Means):
    """Changes samples where torch cannot see it."""

    def learn(self, experience: Experience) -> None:
        super().learn(experience)
        experience.labelled.x.numpy()[:] = 0


class LooksAtTests(Means):
    """Finds the data set in memory and adapts to its test images."""

    def learn(self, experience: Experience) -> None:
        super().learn(experience)
        assert self.prototypes is not None
        sets = [thing for thing in gc.get_objects() if type(thing) is DataSet]
        brightness = max((float(np.mean(one.x_test)) for one in sets if len(one.x_test)), default=0)
        self.prototypes = self.prototypes + brightness


class NeedsTwoClasses(Means):
    def learn(self, experience: Experience) -> None:
        if experience.new_classes < 2:
            raise ValueError("no margin between classes")
        super().learn(experience)


class LosesTheAxisOfTheBatch(Means):
    def scores(self, x: Tensor) -> Tensor:
        return super().scores(x).squeeze(0)


class NeedsManySamples(Means):
    def learn(self, experience: Experience) -> None:
        if len(experience.labelled) < 15:
            raise ValueError("too few samples")
        super().learn(experience)


class Obscure(Options):
    size: int = 3
    name: str
    share: Annotated[float, Field(le=1.0)] = 2.0
    """Share of something."""


def plugins_with(kind: type[Strategy], **register_arguments: Any) -> Plugins:
    class Adds:
        cilsim_api = 1

        @hookimpl
        def cilsim_register_strategies(self, register: Any) -> None:
            serves = ("class_incremental", "few_shot_class_incremental")
            register("mine", kind, **{"serves": serves, **register_arguments})

    return discover([("adds", Adds())])


def judged(folder: Path, plugins: Plugins, *promises: str) -> list[Verdict]:
    """Return the verdicts on some promises."""
    (subject,) = subjects("mine", plugins)
    checkup = Checkup(subject, plugins, folder)
    return [checkup.judge(one) for one in PROMISES if one.name in promises]


def test_a_proper_strategy_keeps_every_promise() -> None:
    plugins = plugins_with(Means)
    (subject,) = subjects("adds", plugins)

    found = list(verdicts(subject, plugins))

    assert [(one.state, one.promise, one.found) for one in found] == [
        ("PASS", "runs", "3 experiences of class_incremental"),
        ("PASS", "shapes", "scores over 4, 7, 9 classes"),
        ("PASS", "equal seeds, equal files", "5 files of two runs are equal byte for byte"),
        (
            "PASS",
            "resumes",
            "stopped at step 2 of 3, and after each experience: the same files byte for byte",
        ),
        (
            "PASS",
            "declared memory",
            "state_dict() holds 1,152 bytes of tensors, kept() says 1,152",
        ),
        ("PASS", "plain state", "3 states of tensors and plain data"),
        ("PASS", "samples untouched", "those of 3 experiences are as they were"),
        ("PASS", "nothing hidden", "other test images change nothing that it learns"),
        ("PASS", "single classes", "3 experiences of class_incremental"),
        ("PASS", "last batch of one", "3 experiences of class_incremental"),
        ("PASS", "kinds served", "also runs on few_shot_class_incremental"),
        ("PASS", "methods known", "overrides learn, scores"),
        ("PASS", "options documented", "no options"),
    ]


def line_of(method: Any, below: int) -> str:
    """Return the place of a line of a method, counted from its `def`."""
    return f"test_conformance.py, line {method.__code__.co_firstlineno + below}"


WHO = "plugin 'adds' of this process: "
BROKEN = [
    (
        DrawsFromNowhere,
        "equal seeds, equal files",
        "metrics.jsonl differs, with 4 other files",
        "draw from self.context.generator(name) alone, and iterate over nothing unordered",
    ),
    (
        KeepsInSecret,
        "declared memory",
        "state_dict() holds 277,632 bytes of tensors, kept() says 1,152",
        "count every tensor that state_dict() returns in kept()",
    ),
    (
        ForgetsItsSecondExperience,
        "resumes",
        "stopped after each experience: metrics.jsonl differs, with 2 other files",
        "return all that changes from state_dict() and take it over in load_state_dict()",
    ),
    (
        CallsALearnThatIsNone,
        "methods known",
        "'lern' is called by nobody; did you mean 'learn'?",
        "rename it, or begin the name of a method of your own with an underscore",
    ),
    (
        WritesThroughNumpy,
        "samples untouched",
        "the samples of experience 0 changed while it was learnt",
        "work on a copy: experience.labelled.x.clone()",
    ),
    (
        LooksAtTests,
        "nothing hidden",
        "other test images change what it learns",
        "learn from `experience` and `context` alone, not from files or globals",
    ),
    (
        NeedsTwoClasses,
        "single classes",
        f"{WHO}learn() of strategy 'mine', experience 0: ValueError: no margin between classes "
        f"({line_of(NeedsTwoClasses.learn, 2)})",
        "a variance or a margin over one class has no value; handle new_classes == 1",
    ),
    (
        LosesTheAxisOfTheBatch,
        "last batch of one",
        f"{WHO}scores() of strategy 'mine', experience 0: it returned shape (4,), expected (1, 4)",
        "scores() may get a single sample: keep the first axis, take no statistics over it",
    ),
    (
        NeedsManySamples,
        "kinds served",
        f"few_shot_class_incremental: {WHO}learn() of strategy 'mine', experience 1: ValueError: "
        f"too few samples ({line_of(NeedsManySamples.learn, 2)})",
        "name in `serves=` only the kinds that it can learn",
    ),
]


@pytest.mark.parametrize(
    ("kind", "promise", "found", "helps"), BROKEN, ids=[row[0].__name__ for row in BROKEN]
)
def test_a_broken_promise_is_found(
    tmp_path: Path, kind: type[Strategy], promise: str, found: str, helps: str
) -> None:
    assert judged(tmp_path, plugins_with(kind), promise) == [
        Verdict("strategy", "mine", promise, "FAIL", found, helps)
    ]


def test_a_state_that_is_not_all_there_is_found_wherever_the_run_was_stopped(
    tmp_path: Path,
) -> None:
    (verdict,) = judged(tmp_path, plugins_with(TrainsAndForgetsItsState), "resumes")
    assert verdict.state == "FAIL"
    assert verdict.found == "stopped at step 14 of 21: metrics.jsonl differs, with 3 other files"


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (
            ReturnsTooFewScores,
            f"{WHO}scores() of strategy 'mine', experience 0: it returned shape (24, 3), "
            "expected (24, 4)",
        ),
        (
            StoresAnObject,
            f"{WHO}state_dict() of strategy 'mine', experience 0: state['strategy']['options']: "
            "cilsim.options.Options cannot be stored; tensors, arrays, numbers, text, booleans, "
            "None, lists, tuples and dictionaries can",
        ),
    ],
    ids=["scores", "state"],
)
def test_where_it_does_not_run_there_is_nothing_else_to_judge(
    tmp_path: Path, kind: type[Strategy], found: str
) -> None:
    runs, shapes, options = judged(
        tmp_path, plugins_with(kind), "runs", "shapes", "options documented"
    )
    assert (runs.state, runs.found) == ("FAIL", found)
    assert (shapes.state, shapes.found) == ("SKIP", "it does not run")
    assert options.state == "PASS"


def test_options_that_nobody_can_understand_are_found(tmp_path: Path) -> None:
    plugins = plugins_with(Means, options=Obscure, check_options={"name": "x"})
    (verdict,) = judged(tmp_path, plugins, "options documented")
    assert (verdict.state, verdict.found, verdict.helps) == (
        "FAIL",
        "'size' has no description; 'size' is a number without a range; 'name' has no "
        "description; 'name' has no default; 'share' has the default 2.0, which it refuses",
        "give each a docstring below it, a default and, for numbers, Field(ge=..., le=...)",
    )


class Hides(Options):
    scale: float = 1.0


def test_options_for_the_check_are_used(tmp_path: Path) -> None:
    plugins = plugins_with(Means, options=Hides, check_options={"scale": 0.5})
    (subject,) = subjects("mine", plugins)
    trial = Trial.create(tmp_path, subject, plugins)
    assert trial.main_scenario()["strategy"] == {"name": "mine", "scale": 0.5}


def test_check_options_are_a_mapping() -> None:
    plugins = plugins_with(Means, check_options=["fast"])
    assert plugins.explain_broken() == (
        "plugin 'adds' of this process is not used: strategy 'mine' is registered with "
        "check_options=['fast'], expected a mapping",
    )


def test_wrong_check_options_are_told_as_for_any_scenario(tmp_path: Path) -> None:
    plugins = plugins_with(Means, check_options={"fast": True})
    (verdict,) = judged(tmp_path, plugins, "runs")
    assert verdict.state == "FAIL"
    assert "strategy.fast: unknown key" in verdict.found


@pytest.mark.parametrize("kind", STREAMS)
def test_the_test_samples_of_each_stream_are_counted(tmp_path: Path, kind: str) -> None:
    name = "nmc" if kind.endswith("incremental") else "kmeans_discovery"
    plugins = discover()
    (subject,) = subjects(name, plugins)
    trial = Trial.create(tmp_path, subject, plugins)
    file = tmp_path / "scenario.yaml"
    file.write_text(json.dumps(trial.scenario({"kind": kind, **STREAMS[kind]})))
    plan, _ = plan_stream(load_scenario(file, plugins.registries), plugins, seed=0)
    assert len(plan.experiences[0].test) == TESTS[kind]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nnmc", "no plugin or strategy is named 'nnmc'; did you mean 'nmc'?"),
        (
            "cilsim",
            "plugin 'cilsim' has no strategy, no calibrator and no hook of a run; there is nothing "
            "to check",
        ),
    ],
)
def test_a_name_without_anything_to_check_is_refused(
    name: str, complaint: str, installed: Callable[[], Plugins]
) -> None:
    with pytest.raises(CilsimError) as error:
        subjects(name, installed())
    assert str(error.value) == complaint


@pytest.fixture
def installed() -> Callable[[], Plugins]:
    return discover


def test_a_strategy_that_serves_none_of_the_streams_of_a_check_is_refused() -> None:
    with pytest.raises(CilsimError) as error:
        subjects("mine", plugins_with(Means, serves=("pairs",)))
    assert str(error.value) == (
        f"strategy 'mine' serves pairs; it can be checked on {', '.join(STREAMS)}"
    )


def test_a_broken_plugin_is_told_with_its_reason() -> None:
    plugins = discover([("broken", object())])
    with pytest.raises(CilsimError) as error:
        subjects("broken", plugins)
    assert str(error.value) == (
        "plugin 'broken' of this process is not used: it does not declare the interface "
        "that it was written for; add `cilsim_api = 1` to 'builtins'"
    )


def test_calibrators_are_tried_over_nearest_class_means(monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = discover()
    found = subjects("teen", plugins)
    assert [(one.entry.kind, dict(one.choice)) for one in found] == [
        ("strategy", {"name": "teen"}),
        ("calibrator", {"name": "nmc", "calibrators": [{"name": "teen"}]}),
    ]
    monkeypatch.setenv("CILSIM_PLUGINS", "teen")
    with pytest.raises(CilsimError) as error:
        subjects("teen", discover())
    assert str(error.value) == "calibrators and hooks are checked over 'nmc', which is not loaded"


class Biased:
    """A hook that changes scores, by something that it draws from nowhere if told to."""

    cilsim_api = 1

    def __init__(self, draws: bool) -> None:
        self.draws = draws
        self.calls = 0

    @hookimpl(wrapper=True)
    def cilsim_scores(self) -> Any:
        scores = yield
        self.calls += self.draws
        return scores.roll(self.calls, 1)


@pytest.mark.parametrize(("draws", "state"), [(False, "PASS"), (True, "FAIL")])
def test_hooks_alone_are_tried_while_nearest_class_means_learn(
    tmp_path: Path, draws: bool, state: str
) -> None:
    plugins = discover([("biased", Biased(draws))])
    (subject,) = subjects("biased", plugins)
    checkup = Checkup(subject, plugins, tmp_path)
    equal = next(promise for promise in PROMISES if promise.name == "equal seeds, equal files")
    verdict = checkup.judge(equal)
    assert (verdict.kind, verdict.name, verdict.state) == ("hooks", "biased", state)


BUILT_IN = [
    plugin.name
    for plugin in discover().loaded
    if {"cilsim_register_strategies", "cilsim_register_calibrators"} & set(plugin.hooks)
]


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT_IN)
def test_every_plugin_that_comes_with_cilsim_passes(name: str) -> None:
    plugins = discover()
    found = [one for subject in subjects(name, plugins) for one in verdicts(subject, plugins)]
    assert [one for one in found if one.state != "PASS"] == []
