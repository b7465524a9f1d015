"""A stream of three experiences (2 + 1 + 1 classes) and evaluations with numbers made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
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
from cilsim.report.entrants import Entrant, Group, entrants

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
def finals(make_result: MakeResult) -> Callable[..., list[RunResult]]:
    """Makes runs from {label: {seed: value}}, the value that of a metric at the end."""

    def make(values: Mapping[str, Mapping[int, float]], metric: str = "A_all") -> list[RunResult]:
        return [
            _with_final(make_result(label, seed), metric, value)
            for label, by_seed in values.items()
            for seed, value in by_seed.items()
        ]

    return make


def _with_final(result: RunResult, metric: str, value: float) -> RunResult:
    *earlier, last = result.evaluations
    changed = last.with_values({**last.values, metric: value})
    return replace(result, evaluations=(*earlier, changed))


@pytest.fixture
def field(finals: Callable[..., list[RunResult]]) -> Callable[..., tuple[Entrant, ...]]:
    """Makes entrants from {label: {seed: value}}."""

    def make(
        values: Mapping[str, Mapping[int, float]],
        metric: str = "A_all",
        names: Mapping[str, str] | None = None,
    ) -> tuple[Entrant, ...]:
        return entrants([Group("a", finals(values, metric), names or {})])

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


@pytest.fixture(scope="session")
def long_results(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[int, int], list[RunResult]]:
    """Makes runs of so many strategies, which forget at different speeds, over so many experiences.

    Each has two seeds; strategy k keeps 90 % * e^(-rate * age), rate = (k + 1) / (14 experiences).
    """
    folder = tmp_path_factory.mktemp("long")
    return cache(partial(make_long_results, folder))


def make_long_results(folder: Path, strategies: int, experiences: int) -> list[RunResult]:
    infos = tuple(
        ExperienceInfo(i, f"session {i}" if i else "base", (i,), i + 1, 5, 0, 10)
        for i in range(experiences)
    )
    stream = StreamInfo(
        kind="class_incremental", dataset="made-up", protocol=f"B1-Inc1, {experiences}",
        experiences=infos, class_ids=tuple(range(experiences)),
        class_names=tuple(f"class {i}" for i in range(experiences)), groups=("base", "novel"),
        digest="0" * 64,
    )  # fmt: skip
    return [
        _long_result(folder, stream, f"strategy-{number}", number, seed)
        for number in range(strategies)
        for seed in (0, 1)
    ]


def _long_result(folder: Path, stream: StreamInfo, label: str, number: int, seed: int) -> RunResult:
    count = len(stream.experiences)
    i, j = np.mgrid[:count, :count]
    rate = (number + 1) / (count * 14) * (1 + 0.1 * seed)
    matrix = np.where(i >= j, np.exp(-rate * (i - j)) * 0.9, np.nan)
    nothing = np.empty(0, dtype=np.int64)
    confusion = np.eye(count, dtype=np.int64) * 8
    confusion[:, -1] += 2
    evaluations = []
    for after in range(count):
        seen = matrix[after, : after + 1]
        values = {"A_all": float(seen.mean()), "A_avg_inc": float(seen.mean())}
        if after:
            values |= {"forgetting": 0.9 - float(seen[:-1].mean()), "A_base": float(seen[0])}
        evaluations.append(
            Evaluation(
                after,
                values,
                matrix,
                confusion,
                Predictions(after, nothing, nothing, nothing),
                {"train": 1.0},
                {"prototypes": 256},
            )
        )
    run = RunInfo(
        "long", label, seed, stream, "cpu", folder / label / f"seed-{seed}", {"rate": rate}
    )
    return RunResult(run, tuple(evaluations), 1.0)
