"""What plugins return is checked where it comes in: type, shape, dtype, device, NaN."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from strangers import DISCOVERY, SERVES, WHO, Command, Diligent, run_command

from cilsim import Calibrator, hookimpl
from cilsim.registry import Register
from cilsim.training.batch import TrainingLoss

TENSORS: dict[str, tuple[Callable[[int], Any], str]] = {
    "list": (
        lambda n: [0] * n,
        "it returned a value of type 'list', expected a tensor of shape (60, 2)",
    ),
    "rows": (lambda n: torch.zeros(n - 1, 2), "it returned shape (59, 2), expected (60, 2)"),
    "columns": (lambda n: torch.zeros(n, 3), "it returned shape (60, 3), expected (60, 2)"),
    "dtype": (
        lambda n: torch.zeros(n, 2, dtype=torch.complex64),
        "it returned torch.complex64, expected real numbers",
    ),
    "device": (
        lambda n: torch.zeros(n, 2, device="meta"),
        "it returned a tensor on meta, expected cpu",
    ),
    "nan": (lambda n: torch.full((n, 2), torch.nan), "it returned NaN"),
}
NONE = {
    "none": (lambda n: None, "it returned None, expected a tensor of shape (60, 2)"),
}

GROUPS = "expected None or a list of dictionaries with 'params'"
BYTES = "expected a dictionary of bytes by kind"
METHODS: dict[str, tuple[str, Callable[..., Any], str]] = {
    "loss-none": ("loss", lambda self, batch: None, "it returned None, expected a TrainingLoss"),
    "loss-number": (
        "loss",
        lambda self, batch: TrainingLoss(0.5),  # type: ignore[arg-type]
        "its loss has the total a value of type 'float', expected a tensor",
    ),
    "loss-shape": (
        "loss",
        lambda self, batch: TrainingLoss(torch.zeros(3)),
        "its loss has a total of shape (3,), torch.float32 on cpu, "
        "expected a floating-point scalar on cpu",
    ),
    "loss-device": (
        "loss",
        lambda self, batch: TrainingLoss(torch.zeros((), device="meta")),
        "its loss has a total of shape (), torch.float32 on meta, "
        "expected a floating-point scalar on cpu",
    ),
    "loss-constant": (
        "loss",
        lambda self, batch: TrainingLoss(torch.zeros(())),
        "its loss has no gradient, expected one that depends on the parameters",
    ),
    "transform_batch-none": (
        "transform_batch",
        lambda self, batch: None,
        "it returned None, expected a Batch",
    ),
    "parameter_groups-text": (
        "parameter_groups",
        lambda self: "all",
        f"it returned a value of type 'str', {GROUPS}",
    ),
    "parameter_groups-empty": (
        "parameter_groups",
        lambda self: [{"lr": 0.1}],
        f"it returned a list with a value of type 'dict', {GROUPS}",
    ),
    "state_dict-list": (
        "state_dict",
        lambda self: [1],
        "it returned a value of type 'list', expected a dictionary of tensors and plain data",
    ),
    "kept-none": ("kept", lambda self: None, f"it returned None, {BYTES}"),
    "kept-tensor": (
        "kept",
        lambda self: {"means": torch.zeros(2, 8)},
        f"it returned {{'means': a value of type 'Tensor'}}, {BYTES}",
    ),
    "kept-negative": ("kept", lambda self: {"old": -1}, f"it returned {{'old': -1}}, {BYTES}"),
}


def attribute(name: str, value: Any) -> Callable[..., Any]:
    def learn(self: Any, experience: Any) -> None:
        Diligent.learn(self, experience)
        setattr(self, name, value)

    return learn


LEARNING: dict[str, tuple[Callable[..., Any], str]] = {
    "prototypes-list": (
        attribute("prototypes", [1.0]),
        "prototypes are a value of type 'list', expected a tensor",
    ),
    "prototypes-dtype": (
        attribute("prototypes", torch.zeros(2, 8, dtype=torch.int64)),
        "prototypes are torch.int64 on cpu, expected floating-point numbers on cpu",
    ),
    "prototypes-device": (
        attribute("prototypes", torch.zeros(2, 8, device="meta")),
        "prototypes are torch.float32 on meta, expected floating-point numbers on cpu",
    ),
    "prototypes-nan": (
        attribute("prototypes", torch.full((2, 8), torch.inf)),
        "prototypes hold NaN or infinity",
    ),
    "log-text": (
        lambda self, experience: self.context.log("size", "big"),
        "ValueError: log('size'): found a value of type 'str', expected one number",
    ),
    "log-vector": (
        lambda self, experience: self.context.log("size", torch.zeros(3)),
        "ValueError: log('size'): found a tensor of shape (3,), expected one number",
    ),
    "samples-changed": (
        lambda self, experience: experience.train.x.zero_(),
        "it changed 'experience.train.x' in place, expected changes to a copy",
    ),
    "labels-changed": (
        lambda self, experience: experience.train.labels.add_(1),
        "it changed 'experience.train.labels' in place, expected changes to a copy",
    ),
    "fit-experience": (
        lambda self, experience: self.context.fit(experience),
        "TypeError: fit() got an Experience, expected Samples such as experience.labelled or "
        "experience.unlabelled",
    ),
    "features-experience": (
        lambda self, experience: self.context.features(experience),
        "TypeError: features() got an Experience, expected Samples such as experience.labelled or "
        "experience.unlabelled",
    ),
    "train_base-samples": (
        lambda self, experience: self.context.train_base(experience.labelled),
        "TypeError: train_base() got Samples, expected the Experience that learn() was given",
    ),
    "class_means-samples": (
        lambda self, experience: self.context.class_means(experience.labelled),
        "TypeError: class_means() got Samples, expected the Experience that learn() was given",
    ),
    "experience-changed": (
        lambda self, experience: setattr(experience, "index", 7),
        "FrozenInstanceError: cannot assign to field 'index'",
    ),
}

HOOK_SCORES = {f"hook-{name}": wrong for name, wrong in TENSORS.items()}
WRAPPER_SCORES = {f"wrapper-{name}": wrong for name, wrong in {**TENSORS, **NONE}.items()}
HOOK_LOSS = {
    "hook-loss": (lambda: 0.5, "it returned a value of type 'float', expected a TrainingLoss"),
}


class Registers:
    """Strategies and calibrators that return the wrong thing, and hooks that do so by label."""

    @hookimpl
    def cilsim_register_strategies(self, register: Register) -> None:
        made = {
            **{f"scores-{name}": self._scores(wrong) for name, (wrong, _) in SCORES.items()},
            **{name: {method: wrong} for name, (method, wrong, _) in METHODS.items()},
            **{name: {"learn": wrong} for name, (wrong, _) in LEARNING.items()},
            "diligent": {},
        }
        for name, members in made.items():
            register(name, type("Wrong", (Diligent,), members), serves=SERVES)

    @staticmethod
    def _scores(wrong: Callable[[int], Any]) -> dict[str, Any]:
        return {"scores": lambda self, x: wrong(len(x))}

    @hookimpl
    def cilsim_register_calibrators(self, register: Register) -> None:
        for name, (wrong, _) in SCORES.items():
            register(f"adjust-{name}", type("Wrong", (Calibrator,), self._adjusted(wrong)))

    @staticmethod
    def _adjusted(wrong: Callable[[int], Any]) -> dict[str, Any]:
        return {"adjust_scores": lambda self, features, scores: wrong(len(scores))}

    @hookimpl
    def cilsim_scores(self, run: Any, features: Any) -> Any:
        wrong = HOOK_SCORES.get(run.strategy)
        return wrong and wrong[0](len(features))

    @hookimpl(specname="cilsim_scores", wrapper=True)
    def scores_wrapper(self, run: Any, features: Any) -> Any:
        scores_BK = yield
        wrong = WRAPPER_SCORES.get(run.strategy)
        return wrong[0](len(features)) if wrong else scores_BK

    @hookimpl
    def cilsim_training_loss(self, run: Any) -> Any:
        wrong = HOOK_LOSS.get(run.strategy)
        return wrong and wrong[0]()


SCORES = {**TENSORS, **NONE}
EXPECTED = {
    **{f"scores-{k}": f"scores() of strategy 'scores-{k}'@: {w[1]}" for k, w in SCORES.items()},
    **{k: f"{m}() of strategy '{k}'@: {line}" for k, (m, _, line) in METHODS.items()},
    **{k: f"learn() of strategy '{k}'@: {line}" for k, (_, line) in LEARNING.items()},
    **{
        f"adjust-{k}": f"adjust_scores() of calibrator 'adjust-{k}'@: {w[1]}"
        for k, w in SCORES.items()
    },
    **{k: f"cilsim_scores@: {w[1]}" for k, w in {**HOOK_SCORES, **WRAPPER_SCORES}.items()},
    **{k: f"cilsim_training_loss@: {w[1]}" for k, w in HOOK_LOSS.items()},
}


@pytest.fixture(scope="module")
def wrong_results(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """One command, in each of whose runs something else is wrong; the last has no fault."""
    strategies: list[Any] = [*METHODS, *LEARNING, *(f"scores-{name}" for name in SCORES)]
    adjusted = [f"adjust-{name}" for name in SCORES]
    strategies += [{"name": "diligent", "as": one, "calibrators": [one]} for one in adjusted]
    hooks = [*HOOK_SCORES, *WRAPPER_SCORES, *HOOK_LOSS]
    strategies += [{"name": "diligent", "as": one} for one in [*hooks, "good"]]
    return run_command(tmp_path_factory.mktemp("wrong"), Registers(), strategies)


@pytest.mark.parametrize("name", EXPECTED)
def test_what_cannot_be_used_is_named(wrong_results: Command, name: str) -> None:
    expected = WHO + EXPECTED[name].replace("@", ", experience 0")

    assert wrong_results.messages[name] == expected


def test_only_the_run_without_a_fault_finishes(wrong_results: Command) -> None:
    assert wrong_results.finished == {"good"}


IDS = {
    "floats": (
        lambda n: torch.zeros(n),
        "it returned torch.float32, expected whole numbers such as torch.int64",
    ),
    "shape": (
        lambda n: torch.zeros(3, dtype=torch.int64),
        "it returned shape (3,), expected (120,)",
    ),
    "none": (lambda n: None, "it returned None, expected a tensor of shape (120,)"),
}


@pytest.mark.parametrize("name", IDS)
def test_cluster_ids_are_checked(tmp_path: Path, name: str) -> None:
    wrong, line = IDS[name]

    class Wrong(Diligent):
        def assign(self, feature_set: Any) -> Any:
            return wrong(len(feature_set.features))

    class Plugin:
        @hookimpl
        def cilsim_register_strategies(self, register: Register) -> None:
            register("wrong", Wrong, serves=SERVES)

    found = run_command(tmp_path, Plugin(), ["wrong"], DISCOVERY)

    assert found.messages == {"wrong": f"{WHO}assign() of strategy 'wrong', experience 1: {line}"}


RECORDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "values": (
        lambda e: e.values.update(A_all=1.0),
        "AttributeError: 'mappingproxy' object has no attribute 'update'",
    ),
    "one value": (
        lambda e: e.values.__setitem__("A_all", 1.0),
        "AttributeError: 'mappingproxy' object has no attribute '__setitem__'",
    ),
    "predictions": (
        lambda e: e.predictions.predicted.fill(0),
        "ValueError: assignment destination is read-only",
    ),
    "matrix": (
        lambda e: e.accuracy_matrix.fill(1.0),
        "ValueError: assignment destination is read-only",
    ),
    "field": (
        lambda e: setattr(e, "values", {}),
        "FrozenInstanceError: cannot assign to field 'values'",
    ),
}


@pytest.mark.parametrize("name", RECORDS)
def test_records_cannot_be_written(tmp_path: Path, name: str) -> None:
    class Writes:
        @hookimpl
        def cilsim_after_evaluation(self, evaluation: Any) -> None:
            RECORDS[name][0](evaluation)

    found = run_command(tmp_path, Writes(), ["nmc"])

    assert found.messages == {
        "nmc": f"{WHO}cilsim_after_evaluation, experience 0: {RECORDS[name][1]}"
    }


METRICS: dict[str, tuple[str, Any, str]] = {
    "nan": (
        "mine",
        float("nan"),
        "it returned nan, expected a finite number, or None where the metric has no meaning",
    ),
    "text": (
        "mine",
        "0.5",
        "it returned a value of type 'str', expected a finite number, "
        "or None where the metric has no meaning",
    ),
    "taken": ("A_all", 1.0, "the name is that of a metric of cilsim; register another one"),
}


@pytest.mark.parametrize("name", METRICS)
def test_metrics_are_checked(tmp_path: Path, name: str) -> None:
    metric, value, line = METRICS[name]

    class Plugin:
        @hookimpl
        def cilsim_register_metrics(self, register: Register) -> None:
            register(metric, lambda history, stream: value)

    found = run_command(tmp_path, Plugin(), ["nmc"])

    assert found.messages == {"nmc": f"{WHO}metric '{metric}', experience 0: {line}"}


WRAPPERS = {
    "none": ("it returned without a yield, expected exactly one", lambda: (None for _ in range(0))),
    "two": ("it has a second yield, expected exactly one", lambda: (None for _ in range(2))),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper_yields_once(tmp_path: Path, name: str) -> None:
    class Wraps:
        @hookimpl(wrapper=True)
        def cilsim_train_experience(self) -> Any:
            yield from WRAPPERS[name][1]()

    found = run_command(tmp_path, Wraps(), ["nmc"])

    assert found.messages == {
        "nmc": f"{WHO}cilsim_train_experience, experience 0: {WRAPPERS[name][0]}"
    }


def test_a_strategy_has_to_call_the_constructor_of_its_class(tmp_path: Path) -> None:
    class Bare(Diligent):
        def __init__(self, options: Any, context: Any) -> None:
            pass

    class Plugin:
        @hookimpl
        def cilsim_register_strategies(self, register: Register) -> None:
            register("bare", Bare)

    assert run_command(tmp_path, Plugin(), ["bare"]).messages == {
        "bare": f"{WHO}__init__() of strategy 'bare': "
        "expected that it calls super().__init__(options, context)"
    }


def test_a_method_that_is_none_is_refused(tmp_path: Path) -> None:
    class Numbered(Diligent):
        learn = 3  # type: ignore[assignment]

    class Plugin:
        @hookimpl
        def cilsim_register_strategies(self, register: Register) -> None:
            register("numbered", Numbered)

    assert run_command(tmp_path, Plugin(), ["numbered"]).messages == {
        "numbered": f"{WHO}learn() of strategy 'numbered': it is 3, expected a method"
    }


def backbone(module: Any) -> Any:
    class Plugin:
        @hookimpl
        def cilsim_register_backbones(self, register: Register) -> None:
            register("odd", lambda options, shape, generator: module)

    return Plugin()


class Odd(torch.nn.Module):
    feature_size = 4

    def forward(self, x: Any) -> Any:
        return x[:, :3]


BACKBONES = {
    "none": (None, "it returned None, expected a torch.nn.Module"),
    "size": (
        torch.nn.Identity(),
        "its module has the feature_size None, expected a number of features",
    ),
    "shape": (Odd(), "for 2 samples it returned shape (2, 2), expected (2, 4)"),
}


@pytest.mark.parametrize("name", BACKBONES)
def test_backbones_are_checked(tmp_path: Path, name: str) -> None:
    module, line = BACKBONES[name]

    found = run_command(tmp_path, backbone(module), ["nmc"], backbone="odd")

    assert found.messages == {"nmc": f"{WHO}backbone 'odd': {line}"}


def test_a_backbone_whose_weights_are_not_those_of_the_seed_is_refused(tmp_path: Path) -> None:
    def build(options: Any, shape: Any, generator: Any) -> Any:
        layer = torch.nn.Linear(shape[0], 4)
        layer.feature_size = 4
        return layer

    class Plugin:
        @hookimpl
        def cilsim_register_backbones(self, register: Register) -> None:
            register("odd", build)

    assert run_command(tmp_path, Plugin(), ["nmc"], backbone="odd").messages == {
        "nmc": f"{WHO}backbone 'odd': built twice its weights differ, expected them to be drawn "
        "from 'generator' alone"
    }
