"""Stopping and saving at the same step, whoever was asked and whatever the clocks say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cilsim.distributed import lockstep
from cilsim.distributed.lockstep import Lockstep
from cilsim.distributed.processes import ALONE


def test_a_single_process_does_at_once_what_it_is_asked():
    steps = Lockstep(ALONE)
    asked = [(False, False), (True, False), (False, True)]
    assert [steps.decide(stop=stop, save=save) for stop, save in asked] == asked


def test_all_processes_stop_at_the_step_at_which_one_was_asked(together: Any):
    def act(processes: Any) -> int:
        steps = Lockstep(processes)
        for step in range(1000):
            asked = processes.rank == 1 and step >= 7
            if steps.decide(stop=asked, save=False) == (True, False):
                return step
        return -1

    first, second = together(2, act)
    assert first == second
    assert 7 <= first < 7 + lockstep.MOST_STEPS


def test_the_clock_of_the_first_process_alone_says_when_to_save(together: Any):
    def act(processes: Any) -> bool:
        steps = Lockstep(processes)
        return any(steps.decide(stop=False, save=processes.rank == 1)[1] for _ in range(200))

    assert together(2, act) == [False, False]


def test_a_save_that_is_due_is_done_by_all(together: Any):
    def act(processes: Any) -> list[int]:
        steps, saved = Lockstep(processes), []
        for step in range(200):
            if steps.decide(stop=False, save=processes.is_first and step >= 5 and not saved)[1]:
                saved.append(step)
        return saved

    first, second = together(2, act)
    assert len(first) == 1
    assert first == second


class Counting:
    """The first of two processes, whose words are always the greatest."""

    rank, count, is_first = 0, 2, True

    def __init__(self) -> None:
        self.messages = 0

    def greatest(self, *numbers: int) -> list[int]:
        self.messages += 1
        return [int(number) for number in numbers]


@pytest.mark.parametrize(("seconds_per_step", "messages"), [(0.1, 256), (0.01, 52), (0.0001, 4)])
def test_the_faster_the_steps_the_seldomer_processes_agree(
    seconds_per_step: float, messages: int, monkeypatch: pytest.MonkeyPatch
):
    now = 0.0
    monkeypatch.setattr(lockstep, "time", SimpleNamespace(monotonic=lambda: now))
    processes: Any = Counting()
    steps = Lockstep(processes)
    for _ in range(256):
        now += seconds_per_step
        steps.decide(stop=False, save=False)
    assert processes.messages == messages
