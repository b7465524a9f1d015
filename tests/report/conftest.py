"""A stream of three experiences (2 + 1 + 1 classes) and evaluations with numbers made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from cilsim.records import (
    Evaluation,
    ExperienceInfo,
    Predictions,
    RunInfo,
    RunResult,
    StreamInfo,
)

NAN = float("nan")
ACCURACY_MATRIX = [[0.9, NAN, NAN], [0.8, 0.7, NAN], [0.5, 0.6, 0.65]]
VALUES = [
    {"A_all": 0.9, "A_base": 0.9, "A_avg_inc": 0.9},
    {"A_all": 0.77, "A_base": 0.8, "A_novel": 0.7, "A_hm": 0.746, "forgetting": 0.1},
    {"A_all": 0.56, "A_base": 0.5, "A_novel": 0.625, "A_hm": 0.555, "forgetting": 0.25},
]


@pytest.fixture
def stream() -> StreamInfo:
    return StreamInfo(
        kind="few_shot_class_incremental",
        dataset="ring",
        protocol="2 + 2x1-way 5-shot",
        experiences=(
            ExperienceInfo(0, "base", (0, 1), 2, 40, 0, 20),
            ExperienceInfo(1, "session 1", (2,), 3, 5, 0, 10),
            ExperienceInfo(2, "session 2", (3,), 4, 5, 0, 10),
        ),
        class_ids=(7, 3, 5, 1),
        class_names=("seven", "three", "five", "one"),
        groups=("base", "novel"),
        digest="0123456789abcdef",
    )


@pytest.fixture
def discovery_stream(stream: StreamInfo) -> StreamInfo:
    base, later = stream.experiences[:2]
    unlabelled = ExperienceInfo(1, "discovery", later.new_labels, 3, 0, 30, 10)
    return StreamInfo(
        kind="generalized_category_discovery",
        dataset=stream.dataset,
        protocol="2 old + 1 new",
        experiences=(base, unlabelled),
        class_ids=stream.class_ids[:3],
        class_names=stream.class_names[:3],
        groups=("old", "new"),
        digest=stream.digest,
    )


MakeRun = Callable[..., RunInfo]
MakeResult = Callable[..., RunResult]


@pytest.fixture
def make_run(tmp_path: Path, stream: StreamInfo) -> MakeRun:
    def make(strategy: str = "teen", seed: int = 0) -> RunInfo:
        return RunInfo(
            scenario="rings",
            strategy=strategy,
            seed=seed,
            stream=stream,
            device="cpu",
            folder=tmp_path / "runs" / "rings" / strategy.replace("/", "_") / f"seed-{seed}",
            options={"scale": 16.0, "nested": {"shift": None}, "cosine": True},
        )

    return make


@pytest.fixture
def evaluations() -> tuple[Evaluation, ...]:
    return tuple(make_evaluations())


def make_evaluations(shift: float = 0.0) -> Iterable[Evaluation]:
    """Yield the three evaluations, every accuracy raised by `shift`."""
    for i, values in enumerate(VALUES):
        matrix = np.array(ACCURACY_MATRIX) + shift
        matrix[i + 1 :] = np.nan
        count = i + 2
        label = np.arange(count)
        yield Evaluation(
            experience=i,
            values={name: value + shift for name, value in values.items()},
            accuracy_matrix=matrix,
            confusion=np.eye(count, dtype=np.int64) * 10,
            predictions=Predictions(i, label, label, label),
            seconds={"train": 60.0 / (i + 1), "evaluate": 1.5},
            kept={"prototypes": 256 * count, "exemplars": 1000},
        )


@pytest.fixture
def make_result(make_run: MakeRun) -> MakeResult:
    def make(strategy: str = "teen", seed: int = 0, shift: float = 0.0) -> RunResult:
        return RunResult(make_run(strategy, seed), tuple(make_evaluations(shift)), 114.5)

    return make


@pytest.fixture
def domain_stream(stream: StreamInfo) -> StreamInfo:
    """All four classes in each of two domains."""
    return StreamInfo(
        kind="domain_incremental",
        dataset=stream.dataset,
        protocol="4 classes, 1 of 2 domains per experience",
        experiences=(
            ExperienceInfo(0, "indoors", (0, 1, 2, 3), 4, 40, 0, 20),
            ExperienceInfo(1, "garden", (), 4, 40, 0, 20),
        ),
        class_ids=stream.class_ids,
        class_names=stream.class_names,
        groups=stream.groups,
        digest=stream.digest,
    )
