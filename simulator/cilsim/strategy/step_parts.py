"""What a strategy, and the hooks around it, make of an optimiser step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cilsim.records import RunInfo
from cilsim.strategy.strategy import Strategy, loss_is_mean, transforms_batches
from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.optimisers import ParameterGroup

Loss = Callable[[Batch], TrainingLoss]
"""The loss of one optimiser step."""


@dataclass(frozen=True)
class StepParts:
    """The attributes of `FitSpec` of the same names; with a loss alone, a plain step."""

    loss: Loss
    mean_loss: bool = False
    parameter_groups: Sequence[ParameterGroup] | None = None
    transform_batch: Callable[[Batch], Batch] | None = None
    after_backward: Callable[[Batch], None] | None = None


def strategy_step(strategy: Strategy, run: RunInfo, hook: Any) -> StepParts:
    """Return the step of a strategy.

    Args:
        strategy: whose methods are called.
        run: facts about the run, for the hooks.
        hook: hook callers of the run's plugin manager; a hook that only the engine implements is
            not called.
    """
    hooked = len(hook.cilsim_training_loss.get_hookimpls()) != 1
    return StepParts(
        loss=_hooked_loss(strategy, run, hook) if hooked else strategy.loss,
        mean_loss=not hooked and loss_is_mean(strategy),
        parameter_groups=strategy.parameter_groups(),
        transform_batch=strategy.transform_batch if transforms_batches(strategy) else None,
        after_backward=lambda batch: strategy.after_backward(),
    )


def _hooked_loss(strategy: Strategy, run: RunInfo, hook: Any) -> Loss:
    caller = hook.cilsim_training_loss

    def loss(batch: Batch) -> TrainingLoss:
        result: TrainingLoss = caller(run=run, strategy=strategy, batch=batch)
        return result

    return loss
