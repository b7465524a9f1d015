"""What an evaluation needs from whoever answers it: strategy, calibrators, hooks of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from cilsim.runner import returned
from cilsim.runner.guard import Check


@dataclass
class Expectations:
    """The shape of the answer that the evaluation is waiting for.

    Attributes:
        device: where it must lie.
        shape: (N, K) of scores or (N,) of cluster ids.
        finite: whether each answer is looked at for NaN, which makes the host wait for the device.
    """

    device: torch.device
    shape: tuple[int, ...] = field(default=(0, 0))
    finite: bool = False

    def scores(self, found: Any, _: tuple[Any, ...]) -> str:
        """Return what is wrong with scores, or nothing."""
        wrong = returned.scores_complaint(found, self.shape, self.device)
        if not wrong and self.finite and bool(found.isnan().any()):
            return "it returned NaN"
        return wrong

    def assign(self, found: Any, _: tuple[Any, ...]) -> str:
        """Return what is wrong with cluster ids, or nothing."""
        return returned.ids_complaint(found, self.shape, self.device)

    def of_hooks(self) -> Mapping[str, Check]:
        """Return the checks of what plugins answer, by hook."""
        return {
            "cilsim_training_loss": returned.loss_on(self.device),
            "cilsim_scores": self.scores,
            "cilsim_assign": self.assign,
        }
