"""What our recipe changes of an Avalanche training: learning rate, clipping, and what is reported.

Axis letters: B batch, K outputs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from avalanche.training.plugins import SupervisedPlugin
from torch import Tensor

from cilsim.scenario.recipe import Recipe
from cilsim.training.schedules import learning_rate

Report = Callable[[Mapping[str, float], int], None]
"""Takes scalars at the end of an epoch and the optimiser steps of that epoch."""


class RecipeSteps(SupervisedPlugin):  # type: ignore[misc] # avalanche has no types
    """Sets the learning rate of each step, clips gradients, reports each epoch.

    Nothing here waits for the device between the first and the last step of an epoch.

    Args:
        recipe: of the training.
        report: receives each epoch's scalars.
    """

    def __init__(self, recipe: Recipe, report: Report) -> None:
        super().__init__()
        self.recipe = recipe
        self._report = report
        self._epoch = 0

    def before_training_exp(self, strategy: Any, **_: Any) -> None:
        """Begin to count epochs."""
        self._epoch = 0

    def before_training_epoch(self, strategy: Any, **_: Any) -> None:
        """Begin to count steps."""
        self._step = self._seen = self._judged = 0
        self._loss: Tensor | float = 0.0
        self._right: Tensor | float = 0.0
        self._rate = self.recipe.lr
        self._started = time.perf_counter()

    def before_training_iteration(self, strategy: Any, **_: Any) -> None:
        """Set the learning rate."""
        steps = max(self._step + 1, len(strategy.dataloader))
        self._rate = learning_rate(self.recipe, self._epoch, self._step, steps)
        for group in strategy.optimizer.param_groups if strategy.optimizer else ():
            group["lr"] = self._rate

    def before_update(self, strategy: Any, **_: Any) -> None:
        """Clip the gradient, if the recipe asks for it."""
        if self.recipe.clip_gradient_norm is not None:
            parameters = strategy.model.parameters()
            torch.nn.utils.clip_grad_norm_(parameters, self.recipe.clip_gradient_norm)

    @torch.no_grad()
    def after_training_iteration(self, strategy: Any, **_: Any) -> None:
        """Add up loss and hits on the device."""
        self._step += 1
        size = len(strategy.mb_y)
        self._seen += size
        if isinstance(strategy.loss, Tensor):
            self._loss = self._loss + strategy.loss.detach() * size
        output_BK = strategy.mb_output
        if isinstance(output_BK, Tensor) and output_BK.shape[:1] == (size,) and output_BK.ndim == 2:
            self._judged += size
            self._right = self._right + (output_BK.argmax(1) == strategy.mb_y).sum()

    def after_training_epoch(self, strategy: Any, **_: Any) -> None:
        """Report the epoch."""
        self._epoch += 1
        if not self._seen:
            return
        values = {
            "train/loss": float(self._loss) / self._seen,
            "train/lr": self._rate,
            "train/images_per_s": self._seen / max(time.perf_counter() - self._started, 1e-9),
            "train/epoch": float(self._epoch),
            "train/epochs": float(strategy.train_epochs),
        }
        if self._judged:
            values["train/accuracy"] = float(self._right) / self._judged
        self._report(values, self._step)
