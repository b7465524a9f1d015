"""Timing contestants fairly: random order within each round, ratios per round, medians.

Absolute times of a shared machine mean little. Within one round the contestants meet the same
machine, so the ratio of a round is what is reported, with quartiles over the rounds.
"""

from __future__ import annotations

import gc
import random
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles

import torch

LARGEST_SPREAD = 0.10
"""Interquartile range of the baseline, relative to its median, above which nothing is claimed."""


@dataclass(frozen=True)
class Goal:
    """What a contestant should reach: at least this many times the baseline's speed."""

    contestant: str
    on_cpu: float
    on_gpu: float


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
    """

    summary: str
    baseline: str
    build: Callable[[torch.device], Mapping[str, Callable[[], None]]]
    work: int
    unit: str
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True)
class Quartiles:
    """Median and quartiles of one figure over the rounds."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Quartiles:
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(low, median(values), high)

    @property
    def spread(self) -> float:
        return (self.high - self.low) / self.middle


Samples = dict[str, list[float]]
"""Seconds per round, by contestant."""


def run_rounds(
    contestants: Mapping[str, Callable[[], None]], rounds: int, device: torch.device, seed: int = 0
) -> tuple[Samples, Samples]:
    """Return CPU and wall seconds of every contestant in every round but the first."""
    order, shuffled = list(contestants), random.Random(seed)
    cpu: Samples = {name: [] for name in order}
    wall: Samples = {name: [] for name in order}
    for number in range(rounds + 1):
        shuffled.shuffle(order)
        for name in order:
            cpu_seconds, wall_seconds = _time(contestants[name], device)
            if number:
                cpu[name].append(cpu_seconds)
                wall[name].append(wall_seconds)
    return cpu, wall


def _time(work: Callable[[], None], device: torch.device) -> tuple[float, float]:
    gc.collect()
    wall_began, cpu_began = time.perf_counter(), _cpu_seconds()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return _cpu_seconds() - cpu_began, time.perf_counter() - wall_began


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def speeds(samples: Samples, baseline: str) -> dict[str, Quartiles]:
    """Return how many times as fast as the baseline each contestant was, round by round."""
    return {
        name: Quartiles.of([b / own for b, own in zip(samples[baseline], times, strict=True)])
        for name, times in samples.items()
    }


def added_seconds(samples: Samples, baseline: str) -> dict[str, Quartiles]:
    """Return how much longer than the baseline each contestant took, round by round."""
    return {
        name: Quartiles.of([own - b for b, own in zip(samples[baseline], times, strict=True)])
        for name, times in samples.items()
    }


def verdict(samples: Samples, arm: Arm, device: torch.device) -> list[str]:
    """Return one line per goal: reached, missed, or refused because the machine is busy."""
    spread = Quartiles.of(samples[arm.baseline]).spread
    if spread > LARGEST_SPREAD:
        return [f"no verdict: the baseline's quartiles lie {spread:.0%} apart, the machine is busy"]
    measured = speeds(samples, arm.baseline)
    return [
        _judge(
            f"{goal.contestant} {measured[goal.contestant].middle:.3g} x {arm.baseline}",
            measured[goal.contestant].middle,
            goal.on_gpu if device.type == "cuda" else goal.on_cpu,
        )
        for goal in arm.goals
    ]


def _judge(claim: str, speed: float, goal: float) -> str:
    return f"{'reached' if speed >= goal else 'MISSED'}: {claim}, goal {goal:.3g}"
