"""What is said when a training cannot go on: where it stood, what was found, what may help."""

from __future__ import annotations

from cilsim.errors import RunFailed
from cilsim.training.spec import FitSpec
from cilsim.training.step import OptimiserStep

CALMER = "a smaller 'lr' or 'clip_gradient_norm' may help"


def loss_not_finite(spec: FitSpec, epoch: int, step: int, loss: float) -> RunFailed:
    """Return the error for the first step whose loss is NaN or infinite."""
    return RunFailed(f"{spec.where(epoch, step)}: the training loss is {loss}; {CALMER}")


def weights_not_finite(spec: FitSpec, epoch: int, step: int) -> RunFailed:
    """Return the error for weights that an update spoilt although its loss was finite."""
    return RunFailed(
        f"{spec.where(epoch, step)}: weights are NaN or infinite after this step; {CALMER}"
    )


def no_memory(
    spec: FitSpec, epoch: int, step: int, size: int, optimiser_step: OptimiserStep
) -> RunFailed:
    """Return the error for a batch of `size` samples for which there is no memory."""
    tried = ""
    if optimiser_step.halved:
        tried = " or for one of its halves"
    elif reason := optimiser_step.why_whole():
        tried = f", and it is not done in halves: {reason}"
    calmer = "a smaller 'batch_size'"
    if spec.recipe.precision == "float32":
        calmer += " or 'precision: bf16'"
    return RunFailed(
        f"{spec.where(epoch, step)}: no memory for a batch of {size}{tried}; {calmer} may help"
    )
