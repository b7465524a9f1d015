"""Timing contestants fairly: all of them in every round, in random order, the first round dropped.

Absolute times of a shared machine mean little. Within one round the contestants meet the same
machine, so that ratios are taken round by round (`cilsim.bench.verdicts`).
"""

from __future__ import annotations

import gc
import random
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

Decisions = NDArray[np.int64]
"""What a contestant predicted, so that it can be shown that all did the same work."""

Work = Callable[[], Decisions | None]


@dataclass(frozen=True)
class Prepared:
    """A contestant that uses something up.

    Attributes:
        prepare: makes it, before the clock starts, and returns the call that is timed.
    """

    prepare: Callable[[], Work]


Contestants = Mapping[str, Work | Prepared]


@dataclass(frozen=True)
class Goal:
    """What a contestant should reach: at least this many times the baseline's speed."""

    contestant: str
    on_cpu: float
    on_gpu: float


@dataclass(frozen=True)
class Limit:
    """What a contestant may take: at most so many seconds more than the baseline, per call."""

    contestant: str
    added_seconds: float


@dataclass(frozen=True)
class Arm:
    """One comparison.

    Attributes:
        summary: what is compared, in one line.
        baseline: the contestant that the others are compared with.
        build: returns the contestants by name for a device; each call does all of `work`.
        work: how many units one call does.
        unit: of what.
        goals: what is expected.
        limits: what is expected where a ratio says little.
        agreement: share of the baseline's decisions that every other contestant that returns
            any must repeat, or None where there are none.
        keeps_memory: whether all contestants run with freed memory kept, as cilsim's runs do.
            Not where other tools are measured, which leave the allocator as the system has it.
    """

    summary: str
    baseline: str
    build: Callable[[torch.device], Contestants]
    work: int
    unit: str
    goals: tuple[Goal, ...] = ()
    limits: tuple[Limit, ...] = ()
    agreement: float | None = None
    keeps_memory: bool = True


Samples = dict[str, list[float]]
"""Seconds per round, by contestant."""


@dataclass(frozen=True)
class Timings:
    """What the rounds gave.

    Attributes:
        cpu: seconds of this process and its children, all threads together.
        wall: seconds by the clock, the device's work included.
        device: seconds between two CUDA events around the call; empty without CUDA.
        decisions: of the last round, by contestant.
    """

    cpu: Samples = field(default_factory=dict)
    wall: Samples = field(default_factory=dict)
    device: Samples = field(default_factory=dict)
    decisions: dict[str, Decisions] = field(default_factory=dict)


def run_rounds(
    contestants: Contestants, rounds: int, device: torch.device, seed: int = 0
) -> Timings:
    """Return the timings of every contestant in every round but the first."""
    order, shuffled, timings = list(contestants), random.Random(seed), Timings()
    for number in range(rounds + 1):
        shuffled.shuffle(order)
        for name in order:
            contestant = contestants[name]
            work = contestant.prepare() if isinstance(contestant, Prepared) else contestant
            _time(name, work, device, timings if number else Timings())
    return Timings(
        _in_order(timings.cpu, contestants),
        _in_order(timings.wall, contestants),
        _in_order(timings.device, contestants),
        {name: timings.decisions[name] for name in contestants if name in timings.decisions},
    )


def _in_order(samples: Samples, contestants: Contestants) -> Samples:
    return {name: samples[name] for name in contestants if name in samples}


def _time(name: str, work: Work, device: torch.device, timings: Timings) -> None:
    """Call `work` once and note what it took."""
    gc.collect()
    on_cuda = device.type == "cuda"
    if on_cuda:
        torch.cuda.synchronize(device)
        began, ended = _event(), _event()
    wall_began, cpu_began = time.perf_counter(), cpu_seconds()
    if on_cuda:
        began.record()
    decisions = work()
    if on_cuda:
        ended.record()
        torch.cuda.synchronize(device)
    timings.cpu.setdefault(name, []).append(cpu_seconds() - cpu_began)
    timings.wall.setdefault(name, []).append(time.perf_counter() - wall_began)
    if on_cuda:
        timings.device.setdefault(name, []).append(began.elapsed_time(ended) / 1000)
    if decisions is not None:
        timings.decisions[name] = decisions


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]


def cpu_seconds() -> float:
    """Return the processor seconds of this process and of the children that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
