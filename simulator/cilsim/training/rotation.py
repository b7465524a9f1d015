"""Rotated copies of a batch as classes of their own: label augmentation (Zhu et al. 2021, PASS).

Axis letters: B batch, C channels, H W pixels.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from cilsim.data.layout import with_layout
from cilsim.data.samples import Samples
from cilsim.errors import DataError
from cilsim.training.batch import Batch

ROTATIONS = 4
"""0, 90, 180 and 270 degrees."""


def rotated(batch: Batch, *, channels_last: bool = False) -> Batch:
    """Return the batch with each image in all four rotations, each with a label of its own.

    Image i fills rows 4i to 4i + 3, turned counter-clockwise by 0 to 3 quarters; label y becomes
    4y + r.

    Args:
        batch: square images.
        channels_last: memory layout of the result.
    """
    turn_R = torch.arange(ROTATIONS, device=batch.x.device)
    labels_B = batch.labels
    return replace(
        batch,
        x=with_layout(rotated_images(batch.x), channels_last),
        labels=None if labels_B is None else (labels_B[:, None] * ROTATIONS + turn_R).flatten(),
        position=batch.position.repeat_interleave(ROTATIONS),
    )


def rotated_images(images_BCHW: Tensor) -> Tensor:
    """Return (4B, C, H, W), the four rotations of each image one after the other."""
    turned = [images_BCHW.rot90(turn, (2, 3)) for turn in range(ROTATIONS)]
    return torch.stack(turned, dim=1).flatten(0, 1)


def require_square_images(samples: Samples, strategy: str) -> None:
    """Raise a `DataError` for samples that cannot be rotated; `strategy` is for the message."""
    shape = tuple(samples.x.shape[1:])
    if len(shape) == 3 and shape[1] == shape[2]:
        return
    kind = "features" if samples.are_features else "images"
    raise DataError(
        f"strategy '{strategy}' rotates square images, the data set gives {kind} of shape "
        f"{shape}; 'rotations: 1' leaves the rotations out"
    )
