"""Samples that are read batch by batch give what samples on the device give, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from cilsim import Strategy, hookimpl
from cilsim.data import residency
from cilsim.data.host_rows import HostRows
from cilsim.registry import Register
from cilsim.testing import Project
from cilsim.testing.spies import StopAfterEpoch

CLASSES, TRAIN, TEST, SIDE = 6, 10, 5, 10
AUGMENTED = {"crop_padding": 1, "flip": True, "brightness": 0.2}


class Pixels(Strategy):
    """Scores images by the head, so that evaluation reads them too."""

    scores_images = True

    def scores(self, x: Tensor) -> Tensor:
        logits_BK: Tensor = self.context.head(self.context.backbone(x))
        return logits_BK


class Adds:
    """Registers a strategy, and notes how the samples of its trainings come."""

    cilsim_api = 1

    def __init__(self) -> None:
        self.kinds: set[str] = set()

    @hookimpl
    def cilsim_register_strategies(self, register: Register) -> None:
        register("pixels", Pixels)

    @hookimpl
    def cilsim_train_experience(self, experience: Any) -> None:
        part = experience.train or experience.unlabelled
        self.kinds.add(type(part.x).__name__)


@pytest.fixture
def adds() -> Adds:
    return Adds()


@pytest.fixture
def project(tmp_path: Path, adds: Adds) -> Project:
    draws = np.random.default_rng(0)
    colours = draws.integers(40, 215, (CLASSES, 1, 1, 1, 3))
    arrays: dict[str, Any] = {}
    for part, count in (("train", TRAIN), ("test", TEST)):
        noise = draws.integers(-40, 41, (CLASSES, count, SIDE, SIDE, 3))
        arrays[f"x_{part}"] = (colours + noise).astype(np.uint8).reshape(-1, SIDE, SIDE, 3)
        arrays[f"y_{part}"] = np.repeat(np.arange(CLASSES), count)
    np.savez(tmp_path / "images.npz", **arrays)
    return Project.create(tmp_path, [("adds", adds)])


DISCOVERY = {"kind": "generalized_category_discovery", "old_classes": 3}


def scenario(strategy: Any, stream: Any = None, **changes: Any) -> dict[str, Any]:
    recipe = {"epochs": 2, "batch_size": 7, "lr": 0.02, "augmentation": AUGMENTED}
    stream = stream or {"kind": "class_incremental", "experiences": 3}
    return {
        "stream": {**stream, "dataset": {"name": "arrays", "path": "images.npz"}},
        "backbone": {"name": "small", "widths": [8, 8, 8]},
        "strategy": strategy,
        "base_training": recipe,
        "training": recipe,
        **changes,
    }


Bytes = dict[str, bytes]


@pytest.fixture
def run(project: Project) -> Callable[..., Bytes]:
    """Return what runs a scenario and returns the bytes of its results."""

    def go(name: str, given: dict[str, Any], **request: Any) -> Bytes:
        outcome = project.run(given, name, **request)
        assert [failure.message for failure in outcome.failures] == []
        label = outcome.results[0].run.strategy
        return project.files(name, label).deterministic_bytes()

    return go


@pytest.mark.parametrize(
    "strategy",
    ["finetune", "nmc", "pixels", "joint", {"name": "icarl", "mirror": True}, "pass"],
    ids=lambda strategy: strategy if isinstance(strategy, str) else strategy["name"],
)
def test_training_extraction_and_evaluation_give_the_same_bytes(
    run: Callable[..., Bytes], adds: Adds, strategy: Any
) -> None:
    resident = run("resident", scenario(strategy, data_on_device=True))
    assert adds.kinds == {"Tensor"}
    adds.kinds.clear()
    assert run("streamed", scenario(strategy, data_on_device=False)) == resident
    assert adds.kinds == {"HostRows"}


def test_labelled_and_unlabelled_samples_together_give_the_same_bytes(
    run: Callable[..., Bytes],
) -> None:
    resident, streamed = (
        run(f"run-{wanted}", scenario("simgcd", DISCOVERY, data_on_device=wanted))
        for wanted in (True, False)
    )
    assert streamed == resident


def test_an_interrupted_training_goes_on_to_the_same_bytes(
    run: Callable[..., Bytes], project: Project
) -> None:
    resident = run("resident", scenario("finetune", data_on_device=True))
    streamed = scenario("finetune", data_on_device=False)
    assert project.run_in_parts(streamed, "parts", StopAfterEpoch) > 0
    assert project.files("parts", "finetune").deterministic_bytes() == resident


def test_where_the_samples_lie_is_no_part_of_the_scenario_s_identity(
    project: Project, run: Callable[..., Bytes]
) -> None:
    first = run("toy", scenario("nmc", data_on_device=True))
    assert run("toy", scenario("nmc", data_on_device=False)) == first  # the same run, all done


def test_auto_reads_batch_by_batch_where_memory_is_short(
    run: Callable[..., Bytes],
    adds: Adds,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    resident = run("resident", scenario("nmc"))
    assert adds.kinds == {"Tensor"}
    adds.kinds.clear()
    monkeypatch.setattr(residency, "ALWAYS_BYTES", 0)
    monkeypatch.setattr(residency, "free_bytes", lambda device: 1000)
    with caplog.at_level("INFO", logger="cilsim.data.residency"):
        assert run("short", scenario("nmc")) == resident
    assert adds.kinds == {"HostRows"}
    assert caplog.messages == [
        "data set 'arrays': 0.0 GB of samples stay where they are, cpu has 0.0 GB free; "
        "batches are read when they are needed (data_on_device: auto)"
    ]


@pytest.mark.parametrize("strategy", ["finetune", "nmc", "pixels"])
def test_at_no_moment_more_than_a_few_batches_are_in_memory(
    run: Callable[..., Bytes], monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    sizes: list[int] = []
    real = HostRows.read

    def watched(rows: HostRows, place_B: Tensor, *, pinned: bool = False) -> Tensor:
        sizes.append(len(place_B))
        return real(rows, place_B, pinned=pinned)

    monkeypatch.setattr(HostRows, "read", watched)
    run("toy", scenario(strategy, data_on_device=False, evaluate={"batch_size": 7}))
    assert max(sizes) <= 32  # the chunk of the extraction; other batches have seven
    assert len(sizes) > 3 * (2 * TRAIN // 7)


@pytest.mark.gpu
@pytest.mark.parametrize("strategy", ["finetune", "nmc", "pixels"])
def test_on_a_gpu_they_give_the_same_bytes_too(run: Callable[..., Bytes], strategy: str) -> None:
    resident, streamed = (
        run(f"run-{wanted}", scenario(strategy, data_on_device=wanted), device="cuda:0")
        for wanted in (True, False)
    )
    assert streamed == resident
