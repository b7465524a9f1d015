"""Other tools' ways decide as the engine does, so that their times are of the same work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.peers.arms import Increments, Way, contestants
from benchmarks.peers.avalanche_way import nearest_mean, pil_benchmark, tensor_benchmark
from benchmarks.peers.pycil_fetril import FetrilWay
from benchmarks.peers.pycil_way import SimpleCilWay
from benchmarks.peers.teen_way import TeenWay

from cilsim.bench.rounds import Decisions, Prepared

SMALL: Mapping[str, Any] = {
    "base": 80, "increment": 10, "train_per_class": 6, "test_per_class": 3, "backbone": "small",
}  # fmt: skip
FEW: Mapping[str, Any] = {**SMALL, "increment": 5, "shot": 5}
COUNT, COUNT_FEW = 90 * 3 + 100 * 3, (85 + 90 + 95 + 100) * 3


def decisions(stream: Increments, strategy: Mapping[str, Any], way: Way) -> list[Decisions]:
    """Return the decisions of another tool's way and of the engine."""
    found = contestants(stream, strategy, {"other": way}, torch.device("cpu"))
    made = []
    for contestant in found.values():
        assert isinstance(contestant, Prepared)
        decided = contestant.prepare()()
        assert decided is not None
        made.append(decided)
    return made


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("stream", "strategy", "way", "count"),
    [
        (FEW, {"name": "teen", "calibration_weight": 0.5},
         lambda base: TeenWay(base, 0.5).increments, COUNT_FEW),
        (SMALL, {"name": "nmc"}, lambda base: SimpleCilWay(base).increments, COUNT),
        (SMALL, {"name": "nmc", "metric": "euclidean"},
         lambda base: nearest_mean(base, tensor_benchmark), COUNT),
        (SMALL, {"name": "nmc", "metric": "euclidean"},
         lambda base: nearest_mean(base, pil_benchmark), COUNT),
        (SMALL, {"name": "fetril", "source": "cosine"},
         lambda base: FetrilWay(base, head=False).increments, COUNT),
    ],
    ids=["teen", "simplecil", "avalanche, tensors", "avalanche", "fetril"],
)  # fmt: skip
def test_another_tools_way_decides_as_the_engine_does(
    stream: Mapping[str, Any], strategy: Mapping[str, Any], way: Way, count: int
) -> None:
    theirs, ours = decisions(Increments(**stream), strategy, way)

    assert (len(theirs), len(ours)) == (count, count)
    assert np.mean(theirs == ours) >= 0.995
    assert len(np.unique(ours)) > 20
