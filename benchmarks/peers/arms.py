"""Increments of a stream with a given base: other tools' ways against the engine.

Same stream, same frozen ResNet-20, one base; every contestant learns the later experiences and
predicts the test images of all classes seen after each. Contestants must decide alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.peers.avalanche_way import nearest_mean, pil_benchmark, tensor_benchmark
from benchmarks.peers.given import Given, given
from benchmarks.peers.pycil_fetril import FetrilWay
from benchmarks.peers.pycil_way import SimpleCilWay
from benchmarks.peers.teen_way import TeenWay
from cilsim.bench.prepared_runs import PreparedRuns
from cilsim.bench.rounds import Arm, Contestants, Goal, Prepared, Work
from cilsim.bench.scratch import scratch_folder

AGREEMENT = 0.999
"""Share of decisions that must be equal; images near a border between classes round either way."""

SHIFT_WEIGHT = 0.5
"""TEEN's default (`shift_weight`)."""


@dataclass(frozen=True)
class Increments:
    """A stream, small enough that a round takes a minute.

    Attributes:
        base: classes of experience 0.
        increment: classes of each later experience.
        shot: training images of each later class, or None for all.
        train_per_class: training images of a class.
        test_per_class: test images of a class.
        backbone: name and options.
        base_epochs: of the training of the base, which is what is given: none by default, because
            training leaves the process memory in which large batches are faster (see RESULTS.md).
    """

    base: int
    increment: int
    shot: int | None = None
    train_per_class: int = 50
    test_per_class: int = 20
    backbone: Any = "resnet20"
    base_epochs: int = 0

    def scenario(self, strategy: Mapping[str, Any]) -> Path:
        """Write the scenario of one strategy and return the file."""
        sizes = {"train_per_class": self.train_per_class, "test_per_class": self.test_per_class}
        kind: dict[str, Any] = {"kind": "class_incremental", "increment": self.increment}
        if self.shot is not None:
            few_shot = "few_shot_class_incremental"
            kind = {"kind": few_shot, "way": self.increment, "shot": self.shot}
        scenario = {
            "stream": {
                **kind, "base_classes": self.base, "dataset": {"name": "glyphs100", **sizes},
            },
            "backbone": self.backbone,
            "strategies": [dict(strategy)],
            "base_training": {"epochs": self.base_epochs},
        }  # fmt: skip
        path = scratch_folder() / "increments.yaml"
        path.write_text(json.dumps(scenario))
        return path


Way = Callable[[Given], Work]


def contestants(
    stream: Increments, strategy: Mapping[str, Any], ways: Mapping[str, Way], device: torch.device
) -> Contestants:
    """Return other tools' ways, each fresh for every round, and `cilsim`."""
    runs = PreparedRuns(stream.scenario(strategy), device)
    label = runs.scenario.strategies[0].label
    base = given(runs, label)

    def prepared(way: Way) -> Prepared:
        return Prepared(lambda: way(base))

    others = {name: prepared(way) for name, way in ways.items()}
    return {**others, "cilsim": runs.contestant(label, files=False)}


def arm(
    summary: str,
    stream: Increments,
    strategy: Mapping[str, Any],
    ways: Mapping[str, Way],
    goals: tuple[Goal, ...],
    agreement: float = AGREEMENT,
) -> Arm:
    """Return the comparison; the first way is the baseline."""
    count = (100 - stream.base) // stream.increment
    return Arm(
        summary,
        next(iter(ways)),
        lambda device: contestants(stream, strategy, ways, device),
        count,
        "experience",
        goals,
        agreement=agreement,
        keeps_memory=False,
    )


FSCIL_TEEN = arm(
    "60 + 8x5-way 5-shot, ResNet-20, 50 test images per class: TEEN",
    Increments(base=60, increment=5, shot=5, test_per_class=50),
    {"name": "teen", "calibration_weight": SHIFT_WEIGHT},
    {"official": lambda base: TeenWay(base, SHIFT_WEIGHT).increments},
    (Goal("cilsim", 15.0, 15.0),),
)
FETRIL_INCREMENTS = arm(
    "B80-Inc10, ResNet-20, 25 training and 10 test images per class: FeTrIL with its SVM",
    Increments(base=80, increment=10, train_per_class=25, test_per_class=10),
    {"name": "fetril", "source": "cosine"},
    {
        "pycil": lambda base: FetrilWay(base, head=True).increments,
        "pycil, SVM alone": lambda base: FetrilWay(base, head=False).increments,
    },
    (Goal("cilsim", 30.0, 30.0),),
    agreement=0.995,  # LinearSVC stops early: of two optimisers the borders differ by a hair
)
NMC_PYCIL = arm(
    "B50-Inc10, ResNet-20, 50 training and 20 test images per class: nearest class mean, cosine",
    Increments(base=50, increment=10),
    {"name": "nmc"},
    {"pycil": lambda base: SimpleCilWay(base).increments},
    (Goal("cilsim", 4.0, 4.0),),
)
NMC_AVALANCHE = arm(
    "the same by Euclidean distance: Naive without epochs, CurrentDataNCMUpdate, NCMClassifier",
    Increments(base=50, increment=10),
    {"name": "nmc", "metric": "euclidean"},
    {
        "avalanche": lambda base: nearest_mean(base, pil_benchmark),
        "avalanche, tensors": lambda base: nearest_mean(base, tensor_benchmark),
    },
    (Goal("cilsim", 4.0, 4.0),),
)
