"""Running arms and keeping what they gave, ready for a table or a JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from cilsim.bench.rounds import Arm, Samples, Timings, run_rounds
from cilsim.bench.verdicts import agreements, same_work, verdict
from cilsim.data.memory import keep_freed_memory


@dataclass(frozen=True)
class Measured:
    """An arm and its timings.

    Attributes:
        name: of the arm.
        arm: what was compared.
        timings: all samples.
        on_gpu: whether CUDA did the work.
    """

    name: str
    arm: Arm
    timings: Timings
    on_gpu: bool

    @property
    def judged(self) -> Samples:
        """The seconds that ratios are taken of: CPU time, which a busy machine cannot spoil."""
        return self.timings.wall if self.on_gpu else self.timings.cpu

    @property
    def verdict(self) -> list[str]:
        """Lines on the goals, and on whether all contestants did the same work."""
        same = same_work(self.timings.decisions, self.arm)
        return [*verdict(self.judged, self.arm, on_gpu=self.on_gpu), *same]

    def document(self) -> dict[str, Any]:
        """Return everything, JSON-ready."""
        return {
            "summary": self.arm.summary,
            "baseline": self.arm.baseline,
            "work": self.arm.work,
            "unit": self.arm.unit,
            "cpu_seconds": self.timings.cpu,
            "wall_seconds": self.timings.wall,
            "device_seconds": self.timings.device,
            "agreement": agreements(self.timings.decisions, self.arm.baseline),
            "verdict": self.verdict,
        }


def measure(
    arms: Mapping[str, Arm], names: Sequence[str], rounds: int, device: torch.device
) -> Iterator[Measured]:
    """Yield the arms of these names, one after the other; those that leave memory alone first."""
    for name in sorted(names, key=lambda name: arms[name].keeps_memory):
        arm = arms[name]
        if arm.keeps_memory:
            keep_freed_memory()
        timings = run_rounds(arm.build(device), rounds, device)
        yield Measured(name, arm, timings, device.type == "cuda")
