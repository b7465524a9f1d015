"""Timing contestants, and what is concluded from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cilsim.bench.measuring import measure
from cilsim.bench.rounds import Arm, Goal, Limit, Prepared, Work, run_rounds
from cilsim.bench.table import arm_lines
from cilsim.bench.verdicts import Quartiles, agreements, same_work, speeds, verdict

CPU = torch.device("cpu")


def arm(**facts: object) -> Arm:
    """Return an arm whose contestants do nothing."""
    return Arm("nothing", "bare", lambda _: {}, 10, "step", **facts)


def test_every_contestant_is_called_once_a_round_and_the_first_round_is_dropped() -> None:
    calls: list[str] = []

    timings = run_rounds(
        {"bare": lambda: calls.append("bare"), "cilsim": lambda: calls.append("cilsim")}, 3, CPU
    )

    assert sorted(calls) == ["bare"] * 4 + ["cilsim"] * 4
    assert [len(timings.cpu[name]) for name in ("bare", "cilsim")] == [3, 3]
    assert list(timings.wall) == ["bare", "cilsim"]
    assert timings.device == {}


def test_what_a_contestant_uses_up_is_made_for_every_call() -> None:
    made: list[int] = []

    def prepare() -> Work:
        made.append(len(made))
        return lambda: np.array([made[-1]])

    timings = run_rounds({"cilsim": Prepared(prepare)}, 2, CPU)

    assert made == [0, 1, 2]
    assert timings.decisions["cilsim"].tolist() == [2]


def test_speeds_are_medians_of_ratios_within_a_round() -> None:
    samples = {"bare": [2.0, 4.0, 9.0], "cilsim": [1.0, 4.0, 3.0]}

    assert speeds(samples, "bare")["cilsim"] == Quartiles(1.5, 2.0, 2.5)


def test_a_goal_is_reached_or_missed() -> None:
    samples = {"bare": [1.0, 1.0, 1.0], "cilsim": [0.5, 0.5, 0.5]}
    judged = arm(goals=(Goal("cilsim", 2.0, 5.0),))

    assert verdict(samples, judged, on_gpu=False) == ["reached: cilsim 2 x bare, goal 2"]
    assert verdict(samples, judged, on_gpu=True) == ["MISSED: cilsim 2 x bare, goal 5"]


def test_a_limit_is_on_the_seconds_more_than_the_baseline() -> None:
    samples = {"bare": [1.0, 1.0, 1.0], "cilsim": [1.5, 1.5, 2.5]}
    verdicts = [verdict(samples, arm(limits=(Limit("cilsim", most),)), on_gpu=False)
                for most in (0.25, 0.75, 1.0)]  # fmt: skip

    measured = "cilsim 0.5 s (0.5 to 1) more than bare, limit"
    assert verdicts == [
        [f"MISSED: {measured} 0.25 s"], [f"no verdict: {measured} 0.75 s"],
        [f"reached: {measured} 1 s"],
    ]  # fmt: skip


def test_a_limit_is_judged_however_much_a_baseline_of_next_to_nothing_varies() -> None:
    samples = {"bare": [1e-6, 3e-6, 9e-6], "cilsim": [0.1, 0.1, 0.1]}

    assert verdict(samples, arm(limits=(Limit("cilsim", 0.4),)), on_gpu=False) == [
        "reached: cilsim 0.1 s (0.1 to 0.1) more than bare, limit 0.4 s"
    ]


def test_a_busy_machine_gets_no_verdict() -> None:
    samples = {"bare": [1.0, 1.2, 1.5], "cilsim": [1.0, 1.0, 1.0]}

    assert verdict(samples, arm(goals=(Goal("cilsim", 1.0, 1.0),)), on_gpu=False) == [
        "no verdict: the baseline's quartiles lie 21% apart, the machine is busy"
    ]


def test_contestants_that_decide_otherwise_are_told() -> None:
    decisions = {"bare": np.array([0, 1, 2, 3]), "cilsim": np.array([0, 1, 2, 0])}

    assert agreements(decisions, "bare") == {"cilsim": 0.75}
    assert same_work(decisions, arm(agreement=0.999)) == [
        "NOT THE SAME WORK: cilsim repeats 75.000% of 4 decisions of bare"
    ]
    assert same_work(decisions, arm(agreement=0.5)) == [
        "same work: cilsim repeats 75.000% of 4 decisions of bare"
    ]


def test_fewer_decisions_are_no_agreement() -> None:
    assert agreements({"bare": np.zeros(4), "cilsim": np.zeros(3)}, "bare") == {"cilsim": 0.0}


def test_an_arm_is_measured_and_told_in_a_table() -> None:
    measured = next(measure({"nothing": _instant()}, ["nothing"], 1, CPU))

    assert [line.split()[0] for line in arm_lines(measured)][:4] == [
        "nothing:", "CPU", "bare", "cilsim",
    ]  # fmt: skip
    assert measured.document()["agreement"] == {"cilsim": 1.0}
    assert list(measured.document()["cpu_seconds"]) == ["bare", "cilsim"]


def _instant() -> Arm:
    def work() -> np.ndarray:
        return np.arange(3)

    return Arm("nothing", "bare", lambda _: {"bare": work, "cilsim": work}, 1, "call")


def test_an_arm_without_decisions_promises_no_agreement() -> None:
    assert same_work({}, arm()) == []


@pytest.mark.parametrize("name", ["bare", "cilsim"])
def test_decisions_of_the_last_round_are_kept(name: str) -> None:
    work = {"bare": lambda: np.array([1]), "cilsim": lambda: np.array([2])}

    assert run_rounds(work, 1, CPU).decisions[name].tolist() == work[name]().tolist()
