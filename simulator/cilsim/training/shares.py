"""A batch cut into parts whose gradients add up to that of the whole.

For a loss that is a mean over samples, each counted for itself, that is so but for rounding.
Whatever looks at a batch as a whole cannot be cut.

Axis letters: B batch.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from cilsim.training.batch import Batch
from cilsim.training.spec import FitSpec


def why_inseparable(spec: FitSpec, *, draws_numbers: bool) -> str:
    """Return why parts of a batch would not give the step of the whole one, or nothing.

    Batch norms, which take their statistics from the whole batch, are not looked at here.

    Args:
        spec: the training.
        draws_numbers: whether the forward pass draws random numbers.
    """
    if not spec.mean_loss or spec.transform_batch is not None:
        return "the loss is not known to be a mean over samples"
    if draws_numbers:
        return "the forward pass would draw other random numbers"
    return ""


def bounds(count: int, parts: int) -> list[slice]:
    """Return consecutive rows for each of `parts`, the first ones larger by one if need be."""
    stops = [(count * (part + 1) + parts - 1) // parts for part in range(parts)]
    return [slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]


def part_of(batch: Batch, rows: slice) -> Batch:
    """Return some samples of a batch, each in all its views."""
    views = [view[rows] for view in batch.x.chunk(batch.views)]
    return replace(
        batch,
        x=views[0] if len(views) == 1 else torch.cat(views),
        labels=None if batch.labels is None else batch.labels[rows],
        position=batch.position[rows],
    )
