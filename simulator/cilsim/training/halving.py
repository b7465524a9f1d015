"""A batch for which there is no memory, done in two halves whose gradients are added up.

See `shares` for which batches have such halves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.modes import BATCH_NORMS
from cilsim.training.shares import bounds, part_of, why_inseparable
from cilsim.training.spec import FitSpec


def why_whole(spec: FitSpec, *, draws_numbers: bool) -> str:
    """Return why halves of a batch would not give the step of the whole one, or nothing.

    Args:
        spec: the training.
        draws_numbers: whether the forward pass draws random numbers.
    """
    if spec.mean_loss and spec.transform_batch is None and _normalises(spec.modules.values()):
        return "batch norm takes its statistics from the whole batch"
    return why_inseparable(spec, draws_numbers=draws_numbers)


def _normalises(modules: Iterable[nn.Module]) -> bool:
    parts = (part for module in modules for part in module.modules())
    return any(isinstance(part, BATCH_NORMS) and part.training for part in parts)


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Return the first and the second half of the samples, each in all its views."""
    first, second = bounds(len(batch.position), 2)
    return part_of(batch, first), part_of(batch, second)


def joined(losses: Sequence[TrainingLoss], shares: Sequence[float]) -> TrainingLoss:
    """Return the loss of a batch from the losses of its parts, without gradients.

    Args:
        losses: of the parts, in the order of their samples.
        shares: fraction of the batch's samples in each part.
    """
    weighted = list(zip(losses, shares, strict=True))
    logits = [loss.logits.detach() for loss in losses if loss.logits is not None]
    return TrainingLoss(
        total=torch.stack([loss.total.detach() * share for loss, share in weighted]).sum(),
        logits=torch.cat(logits) if logits else None,
        parts={
            name: torch.stack([loss.parts[name].detach() * share for loss, share in weighted]).sum()
            for name in losses[0].parts
        },
    )
