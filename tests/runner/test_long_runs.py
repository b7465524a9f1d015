"""Memory and open files of a long run do not grow with what lies behind it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil
import pytest

from cilsim import hookimpl
from cilsim.report.scalar_log import ScalarLog
from cilsim.report.tensorboard import TensorBoardReporter
from cilsim.runner.request import RunStart
from cilsim.testing import Project

EXPERIENCES = 500
STEPS = 10_000


@dataclass
class Gauge:
    """Notes resident memory, in KiB, and open files at each call of one hook."""

    kib: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    process: psutil.Process = field(default_factory=psutil.Process)

    def note(self) -> None:
        self.kib.append(self.process.memory_info().rss / 1024)
        self.files.append(self.process.num_fds())

    def kib_each(self) -> float:
        """Return the slope of memory over the second half, by least squares."""
        later = self.kib[len(self.kib) // 2 :]
        return float(np.polyfit(np.arange(len(later)), later, 1)[0])


class ByExperience(Gauge):
    @hookimpl
    def cilsim_on_checkpoint(self) -> None:
        self.note()


class ByStep(Gauge):
    @hookimpl
    def cilsim_on_scalars(self) -> None:
        self.note()


def run(project: Project, scenario: Any, gauge: Gauge) -> None:
    def reporters(start: RunStart) -> list[object]:
        return [ScalarLog(), TensorBoardReporter(), gauge]

    project.run(scenario, reporters=reporters)


def tell(capsys: pytest.CaptureFixture[str], line: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"{line}\n")


def write_many_classes(project: Project) -> None:
    """Write 500 classes of 4-dimensional features with two training and two test samples each."""
    generator = np.random.default_rng(0)
    y = np.repeat(np.arange(EXPERIENCES), 2)
    x = generator.normal(size=(len(y), 4)).astype(np.float32)
    np.savez(project.folder / "many.npz", x_train=x, y_train=y, x_test=x, y_test=y)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_500_experiences(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_many_classes(project)
    stream = {
        "kind": "class_incremental",
        "increment": 1,
        "dataset": {"name": "arrays", "path": "many.npz"},
    }
    scenario = project.ring_scenario("nmc", stream, backbone="identity")
    gauge = ByExperience()
    run(project, scenario, gauge)
    tell(capsys, f"{gauge.kib_each():.1f} KiB per experience, {gauge.files[-1]} open files")
    assert len(gauge.kib) == EXPERIENCES
    assert gauge.kib_each() < 128  # accuracy and confusion matrices kept in memory are 3000
    files = gauge.files[1:-1]  # the last experience draws pictures, and opens fonts
    assert max(files[len(files) // 2 :]) <= max(files[: len(files) // 2])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_10_000_logged_steps(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = {"epochs": STEPS // 2, "batch_size": 1000, "lr": 0.001}
    scenario = project.ring_scenario(
        "finetune", {"kind": "class_incremental", "increment": 5},
        base_training=recipe, training=recipe,
    )  # fmt: skip
    gauge = ByStep()
    run(project, scenario, gauge)
    tell(capsys, f"{gauge.kib_each():.2f} KiB per step, {gauge.files[-1]} open files")
    assert len(gauge.kib) >= STEPS
    assert gauge.kib_each() < 0.5
    assert gauge.files[-1] <= gauge.files[STEPS // 2 + 10]  # pictures in between opened fonts
