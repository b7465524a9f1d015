"""Ending a training whose losses or weights are no longer finite, before anything of it is kept."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cilsim.training.finite import LossWatch, all_finite
from cilsim.training.refusals import loss_not_finite, weights_not_finite
from cilsim.training.spec import FitSpec


class Soundness:
    """Watches losses and weights of one training, and raises `RunFailed` with the step.

    Args:
        spec: the training.
        parameters: what it trains.
        steps_per_epoch: how many there are.
        done: steps that an earlier command has done.
    """

    def __init__(
        self, spec: FitSpec, parameters: Sequence[Tensor], steps_per_epoch: int, done: int
    ) -> None:
        self._spec = spec
        self._parameters = parameters
        self._steps_per_epoch = steps_per_epoch
        device: torch.device = parameters[0].device
        self._watch = LossWatch(device, first=done)

    def note(self, loss: Tensor) -> None:
        """Note the loss of one more step; never waits for a GPU."""
        self._refuse(self._watch.note(loss))

    def require_losses(self) -> None:
        """Wait for all losses noted."""
        self._refuse(self._watch.settle())

    def require_all(self, done: int) -> None:
        """Wait for losses and weights: the last of `done` updates may have spoilt them."""
        self.require_losses()
        if done and not all_finite(self._parameters):
            raise weights_not_finite(self._spec, *divmod(done - 1, self._steps_per_epoch))

    def _refuse(self, found: tuple[int, float] | None) -> None:
        if found is not None:
            number, loss = found
            raise loss_not_finite(self._spec, *divmod(number, self._steps_per_epoch), loss)
