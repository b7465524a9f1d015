"""A batch for which there is no memory, done in two halves whose gradients are added up.

For a loss that is a mean over samples, each counted for itself, that gives the gradient of the
whole batch but for rounding. Whatever looks at a batch as a whole has no such halves.

Axis letters: B batch, K classes seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
from torch import nn

from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.modes import BATCH_NORMS
from cilsim.training.spec import FitSpec


def why_whole(spec: FitSpec, *, draws_numbers: bool) -> str:
    """Return why halves of a batch would not give the step of the whole one, or nothing.

    Args:
        spec: the training.
        draws_numbers: whether the forward pass draws random numbers.
    """
    if not spec.mean_loss or spec.transform_batch is not None:
        return "the loss is not known to be a mean over samples"
    if _normalises_batches(spec.modules.values()):
        return "batch norm takes its statistics from the whole batch"
    if draws_numbers:
        return "the forward pass would draw other random numbers"
    return ""


def _normalises_batches(modules: Iterable[nn.Module]) -> bool:
    parts = (part for module in modules for part in module.modules())
    return any(isinstance(part, BATCH_NORMS) and part.training for part in parts)


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Return the first and the second half of the samples, each in all its views."""
    middle = (len(batch.position) + 1) // 2
    return _rows(batch, slice(middle)), _rows(batch, slice(middle, None))


def _rows(batch: Batch, rows: slice) -> Batch:
    views = [view[rows] for view in batch.x.chunk(batch.views)]
    return replace(
        batch,
        x=views[0] if len(views) == 1 else torch.cat(views),
        labels=None if batch.labels is None else batch.labels[rows],
        position=batch.position[rows],
    )


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
