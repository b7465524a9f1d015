from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from cilsim import hookimpl
from cilsim.testing import DomainContract, Project, StrategyContract, write_patterns
from cilsim.testing.spies import StopAfterEpoch
from cilsim_icarl.options import IcarlOptions

FEW_SHOTS = {"kind": "few_shot_class_incremental", "base_classes": 6, "way": 2, "shot": 5}
SHORT = {"epochs": 3, "batch_size": 16, "lr": 0.05, "schedule": "constant"}


class StateSpy:
    """Keeps what the strategy would store after each experience."""

    def __init__(self) -> None:
        self.states: list[dict[str, Any]] = []

    @hookimpl(wrapper=True)
    def cilsim_train_experience(self, strategy: Any) -> Generator[None, Any, Any]:
        result = yield
        self.states.append(strategy.state_dict())
        return result

    def of_class(self, label: int) -> list[list[int]]:
        """Positions of the exemplars of one class, after each experience."""
        return [state["index"][state["labels"] == label].tolist() for state in self.states]


class ScalarSpy:
    """Collects the names of reported scalars."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    @hookimpl
    def cilsim_on_scalars(self, scalars: Any) -> None:
        self.names |= set(scalars.values)


def spied(project: Project, scenario: dict[str, Any], name: str = "toy") -> StateSpy:
    spy = StateSpy()
    assert not project.run(scenario, name, reporters=lambda start: [spy]).failures
    return spy


class TestIcarl(StrategyContract):
    strategy = "icarl"
    options = {"per_class": 10}

    def test_forgets_nothing(self, project: Project) -> None:
        assert self.run(project).accuracy_matrix()[-1].min() >= 0.9

    def test_declares_the_bytes_of_samples_labels_and_means(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        one = 2 * 4 + 8  # two float32 and a label
        assert kept == [
            {"prototypes": classes * 32 * 4, "exemplars": 10 * classes * one}
            for classes in (2, 4, 6, 8, 10)
        ]

    def test_stopped_in_every_epoch_equals_uninterrupted(self, project: Project) -> None:
        scenario = self.scenario(project, base_training=SHORT, training=SHORT)
        assert not project.run(scenario, "whole").failures
        interruptions = project.run_in_parts(scenario, "parts", StopAfterEpoch)
        assert interruptions >= 10
        whole, parts = (project.files(name, "icarl") for name in ("whole", "parts"))
        assert parts.deterministic_bytes() == whole.deterministic_bytes()


class TestIcarlWithHead(StrategyContract):
    """PyCIL's loss, the network's own outputs, random exemplars of a fixed memory."""

    strategy = "icarl"
    options = {"preset": "pycil", "classifier": "head", "selection": "random", "memory": 100}

    def test_keeps_no_means(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        one = 2 * 4 + 8  # two float32 and a label
        assert kept == [{"exemplars": count * one} for count in (100, 100, 96, 96, 100)]


class TestIcarlOnDomains(DomainContract):
    """A class that comes again has its exemplars chosen among those kept and its new samples."""

    strategy = "icarl"
    options = {"loss": "kd", "per_class": 10}

    def test_keeps_no_more_of_a_class_that_comes_again(self, project: Project) -> None:
        spy = spied(project, self.scenario(project, base_training=SHORT, training=SHORT))
        assert [torch.bincount(state["labels"]).tolist() for state in spy.states] == [[10] * 10] * 3
        assert len({tuple(index) for index in spy.of_class(0)}) == 3

    def test_the_loss_of_the_paper_is_refused(self, project: Project) -> None:
        scenario = {**self.scenario(project), "strategy": "icarl"}
        assert [failure.message for failure in project.run(scenario).failures] == [
            "strategy 'icarl': experience 1 has no new class, and loss 'bce' learns labels of new "
            "classes alone; use 'loss: kd'"
        ]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path)


def on_features(project: Project, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return project.ring_scenario({"name": "icarl", **options}, backbone="identity", **changes)


def test_a_reduced_memory_keeps_the_first_of_each_class(project: Project) -> None:
    spy = spied(project, on_features(project, {"memory": 23}))
    sizes = [len(index) for index in spy.of_class(0)]
    assert sizes == [11, 5, 3, 2, 2]
    first = spy.of_class(0)[0]
    assert spy.of_class(0) == [first[:size] for size in sizes]
    assert [len(state["index"]) for state in spy.states] == [22, 20, 18, 16, 20]


def test_a_memory_that_grows_keeps_every_exemplar(project: Project) -> None:
    spy = spied(project, on_features(project, {"per_class": 4}))
    assert len({tuple(index) for index in spy.of_class(0)}) == 1
    assert [len(state["index"]) for state in spy.states] == [8, 16, 24, 32, 40]


def test_with_all_samples_it_is_the_nearest_class_mean(project: Project) -> None:
    files_of = {}
    for options in ({"per_class": 1000}, {"per_class": 1000, "selection": "random"}):
        label = options.get("selection", "herding")
        assert not project.run(on_features(project, options), label).failures
        files_of[label] = project.files(label, "icarl").predictions()[-1]
    ring = np.load(project.folder / "ring.npz")
    unit = ring["x_train"] / np.linalg.norm(ring["x_train"], axis=1, keepdims=True)
    means = np.stack([unit[ring["y_train"] == label].mean(0) for label in range(10)])
    cosines = ring["x_test"] @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T
    for stored in files_of.values():
        np.testing.assert_array_equal(stored["predicted"], cosines.argmax(1)[stored["index"]])


def test_few_shot_classes_keep_all_their_shots(project: Project) -> None:
    spy = spied(project, on_features(project, {"per_class": 8}, stream=FEW_SHOTS))
    counts = torch.bincount(spy.states[-1]["labels"])
    assert counts.tolist() == [8, 8, 8, 8, 8, 8, 5, 5, 5, 5]
    assert project.files("toy", "icarl").accuracy_matrix()[-1].min() >= 0.9


@pytest.mark.parametrize("loss", ["bce", "kd", "ce_bce"])
def test_few_shot_classes_are_learnt_by_each_loss(project: Project, loss: str) -> None:
    strategy = {"name": "icarl", "per_class": 10, "loss": loss}
    recipe = {"epochs": 10, "batch_size": 16, "lr": 0.05, "schedule": "constant"}
    scenario = project.ring_scenario(strategy, stream=FEW_SHOTS, training=recipe)
    assert not project.run(scenario).failures
    assert project.files("toy", "icarl").metrics()[2, "A_all"] > 0.8


def test_reports_the_parts_of_the_loss_and_the_exemplars(project: Project) -> None:
    spy = ScalarSpy()
    strategy = {"name": "icarl", "per_class": 3}
    scenario = project.ring_scenario(strategy, base_training=SHORT, training=SHORT)
    assert not project.run(scenario, reporters=lambda start: [spy]).failures
    metrics = project.files("toy", "icarl").metrics()
    assert [metrics[index, "icarl/exemplars"] for index in range(5)] == [6, 12, 18, 24, 30]
    assert {"train/loss_classes", "train/loss_distillation"} <= spy.names


def means_on_patterns(folder: Path, **options: Any) -> torch.Tensor:
    """The means of exemplars after the last of three experiences on images."""
    project = Project.create(folder)
    write_patterns(folder / "ring.npz")
    adam = {**SHORT, "optimizer": "adam", "lr": 0.003}
    scenario = project.ring_scenario(
        {"name": "icarl", "per_class": 4, **options},
        stream={"kind": "class_incremental", "sizes": [6, 2, 2]},
        backbone={"name": "small", "widths": [8, 16, 32]},
        base_training=adam,
        training=adam,
    )
    means: torch.Tensor = spied(project, scenario).states[-1]["prototypes"]
    return means


@pytest.fixture(scope="module")
def usual_means(tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    return means_on_patterns(tmp_path_factory.mktemp("usual"))


def test_means_of_exemplars_have_length_1(usual_means: torch.Tensor) -> None:
    torch.testing.assert_close(usual_means.norm(dim=1), torch.ones(10))


@pytest.mark.parametrize(
    "option",
    [
        {"loss": "kd"},
        {"loss": "ce_bce"},
        {"selection": "random"},
        {"mirror": True},
        {"distillation_weight": 0.0},
        {"prior_bias": False},
        {"per_class": 2},
    ],
    ids=lambda option: "-".join(str(part) for part in option.values()),
)
def test_an_option_moves_the_means(
    tmp_path: Path, usual_means: torch.Tensor, option: dict[str, Any]
) -> None:
    moved = (means_on_patterns(tmp_path, **option) - usual_means).norm(dim=1)
    assert moved.max() > 1e-3


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (2000, None, "bce", True, False)),
        ({"preset": "paper"}, (2000, None, "bce", False, False)),
        ({"preset": "released"}, (2000, None, "bce", False, True)),
        ({"preset": "pycil"}, (2000, None, "kd", False, False)),
        ({"preset": "facil"}, (None, 20, "ce_bce", False, False)),
        ({"per_class": 5}, (None, 5, "bce", True, False)),
        ({"preset": "facil", "memory": 500}, (500, None, "ce_bce", False, False)),
        ({"preset": "pycil", "per_class": 20, "loss": "bce"}, (None, 20, "bce", False, False)),
    ],
    ids=str,
)
def test_presets_give_way_to_what_is_set(given: dict[str, Any], expected: tuple[Any, ...]) -> None:
    options = IcarlOptions(**given)
    found = (options.memory, options.per_class, options.loss, options.prior_bias, options.mirror)
    assert found == expected
    assert IcarlOptions(**options.model_dump()) == options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"memory": 100, "per_class": 5},
            "Value error, give the number of exemplars by exactly one of memory, per_class",
        ),
        (
            {"memory": None, "per_class": None},
            "Value error, give the number of exemplars by exactly one of memory, per_class",
        ),
        (
            {"temperature": 4.0},
            "Value error, 'temperature' is for loss 'kd', loss 'bce' has none",
        ),
        ({"memory": 0}, "Input should be greater than or equal to 1"),
    ],
    ids=["both", "neither", "temperature", "none"],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        IcarlOptions(**options)
    assert [one["msg"] for one in error.value.errors()] == [message]


def messages(project: Project, options: dict[str, Any]) -> list[str]:
    outcome = project.run(on_features(project, options))
    return [failure.message for failure in outcome.failures]


def test_a_memory_smaller_than_the_stream_is_refused(project: Project) -> None:
    assert messages(project, {"memory": 9}) == [
        "strategy 'icarl': memory 9 has no exemplar for each of the stream's 10 classes; "
        "expected at least 10"
    ]


def test_features_cannot_be_mirrored(project: Project) -> None:
    assert messages(project, {"mirror": True}) == [
        "strategy 'icarl' mirrors images, the data set gives features of shape (2,); "
        "use 'mirror: false'"
    ]
