"""What is known about a run: what it is, what it reports while it trains, what came out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cilsim.records.arrays import seal
from cilsim.records.evaluation import Evaluation
from cilsim.records.stream import StreamInfo


@dataclass(frozen=True)
class RunInfo:
    """One scenario, one strategy, one seed.

    Attributes:
        scenario: name of the scenario.
        strategy: label of the strategy within the scenario (`as:` or its name).
        seed: the training seed.
        stream: facts about the stream.
        device: such as `cpu` or `cuda:0`.
        folder: where this run writes.
        options: the strategy's resolved options.
        calibrators: names of the calibrators, in the order in which they are applied.
    """

    scenario: str
    strategy: str
    seed: int
    stream: StreamInfo
    device: str
    folder: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    calibrators: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        seal(self, "options")


@dataclass(frozen=True)
class Scalars:
    """Values logged while training, at one optimiser step counted over the whole run."""

    values: Mapping[str, float]
    step: int

    def __post_init__(self) -> None:
        seal(self, "values")


@dataclass(frozen=True)
class RunResult:
    """A finished run: its evaluations in the order of the stream."""

    run: RunInfo
    evaluations: tuple[Evaluation, ...]
    seconds: float

    @property
    def final(self) -> Mapping[str, float]:
        """The metrics after the last experience."""
        return self.evaluations[-1].values
