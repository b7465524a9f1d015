"""Only differences beyond noise are called differences."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from cilsim.advice.ranking import best_of, ranking
from cilsim.metrics.statistics import paired_difference
from cilsim.records import Evaluation, ExperienceInfo, Predictions, RunInfo, RunResult, StreamInfo

STAGE = ExperienceInfo(0, "base", (0,), 1, labelled=1, unlabelled=0, test=1)
STREAM = StreamInfo("class_incremental", "d", "", (STAGE,), (0,), ("a",), ("base", "novel"), "0")


def result(strategy: str, seed: int, accuracy: float, kept: int = 10) -> RunResult:
    none = np.empty(0, dtype=np.int64)
    evaluations = tuple(
        Evaluation(
            experience=index,
            values={"A_all": accuracy},
            accuracy_matrix=np.zeros((1, 1)),
            confusion=np.zeros((1, 1), dtype=np.int64),
            predictions=Predictions(index, none, none, none),
            seconds={"train": 8.0 - 6.0 * index, "evaluate": 1.0},
            kept={"prototypes": kept},
        )
        for index in range(2)
    )
    run = RunInfo("s", strategy, seed, STREAM, "cpu", Path())
    return RunResult(run, evaluations, 0.0)


def runs(**values: list[float]) -> list[RunResult]:
    return [
        result(strategy, seed, value)
        for strategy, of in values.items()
        for seed, value in enumerate(of)
    ]


def test_the_largest_mean_is_first_and_clear_losers_are_worse() -> None:
    found = ranking(runs(low=[0.50, 0.51, 0.52], high=[0.90, 0.91, 0.92]), "A_all")
    assert [(one.strategy, one.verdict) for one in found] == [("high", "best"), ("low", "worse")]
    assert [one.interval.mean for one in found] == pytest.approx([0.91, 0.51])


def test_a_difference_within_noise_is_none() -> None:
    first, second = [0.90, 0.80, 0.95], [0.88, 0.90, 0.85]
    best, other = ranking(runs(a=first, b=second), "A_all")
    assert (best.verdict, other.verdict) == ("best", "not distinguishable")
    assert other.p == paired_difference(first, second).p
    assert math.isnan(best.p)


def test_p_is_corrected_for_the_number_of_strategies() -> None:
    best, one, two = [0.90, 0.93, 0.95], [0.80, 0.84, 0.83], [0.70, 0.73, 0.78]
    found = ranking(runs(best=best, one=one, two=two), "A_all")
    raw = [paired_difference(best, other).p for other in (one, two)]
    expected = [2 * min(raw), max(2 * min(raw), max(raw))]
    assert sorted(row.p for row in found[1:]) == pytest.approx(expected)


def test_a_larger_mean_over_fewer_seeds_is_no_evidence() -> None:
    values = {"hasty": [0.99], "steady": [0.90, 0.91, 0.92], "low": [0.50, 0.51, 0.53]}
    found = ranking(runs(**values), "A_all")
    assert [(one.strategy, one.verdict) for one in found] == [
        ("hasty", "too few seeds"),
        ("steady", "best"),
        ("low", "worse"),
    ]
    best = best_of(found)
    assert best is not None
    assert best.strategy == "steady"


def test_one_seed_tells_nothing_about_noise() -> None:
    found = ranking(runs(a=[0.9], b=[0.1]), "A_all")
    assert [one.verdict for one in found] == ["best", "too few seeds"]
    assert math.isnan(found[1].p)


def test_costs_are_those_after_the_base_and_at_the_end() -> None:
    (found,) = ranking([result("a", 0, 0.5, 30), result("a", 1, 0.6, 50)], "A_all")
    assert (found.seconds, found.base_seconds, found.bytes_kept) == (3.0, 9.0, 40.0)


def test_runs_without_the_metric_are_left_out() -> None:
    assert ranking(runs(a=[0.5]), "A_hm") == []
    assert best_of([]) is None
