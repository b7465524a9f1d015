"""The calibrator: changes prototypes or scores of a strategy that is not its own.

Axis letters: B batch, D features, K classes seen.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from cilsim.options import Options
from cilsim.prototypes.table import PrototypeTable
from cilsim.records import ExperienceInfo


class Calibrator:
    """A step between a strategy and its predictions; the scenario's list gives the order.

    Attributes:
        options: what the scenario set, validated.
        name: how messages call this calibrator.
    """

    def __init__(self, options: Options, name: str) -> None:
        self.options: Any = options
        self.name = name

    def calibrate(self, prototypes: PrototypeTable, experience: ExperienceInfo) -> None:
        """Change rows of `prototypes`, usually those of the new classes; default: none."""

    def adjust_scores(self, features: Tensor, scores: Tensor) -> Tensor:
        """Return (B, K) scores to use instead of `scores`; default: the same."""
        return scores
