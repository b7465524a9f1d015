"""From stored samples to what a network takes.

Axis letters: B batch, C channels, H W pixels, D features.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from cilsim.data.layout import with_layout
from cilsim.data.samples import Samples
from cilsim.data.transfer import sent


def prepare(x: Tensor, samples: Samples, *, channels_last: bool = False) -> Tensor:
    """Return some of the samples under the test transform: centre crop, then normalisation.

    Args:
        x: (B, C, H, W) images, uint8 or float on the scale 0 to 255, or (B, D) features. Float
            images are overwritten.
        samples: where `x` comes from, which says how to crop and normalise.
        channels_last: memory layout of the result.
    """
    x = centre_crop(x, samples.crop)
    return normalise(x, samples.mean, samples.std, channels_last=channels_last)


def centre_crop(images_BCHW: Tensor, side: int | None) -> Tensor:
    """Return a view of the centre square of each image; features and None change nothing.

    An odd pixel is dropped at the top and left, or at the bottom and right, as torchvision does:
    the first row is round((H - side) / 2), halves to even.
    """
    if side is None or images_BCHW.ndim == 2:
        return images_BCHW
    top, left = (round((size - side) / 2) for size in images_BCHW.shape[2:])
    return images_BCHW[:, :, top : top + side, left : left + side]


def normalise(
    x: Tensor, mean: tuple[float, ...], std: tuple[float, ...], *, channels_last: bool = False
) -> Tensor:
    """Return (x / 255 - mean) / std per channel for images; features pass unchanged.

    Args:
        x: (B, C, H, W) images, uint8 or float on the scale 0 to 255, or (B, D) features. Float
            images are overwritten.
        mean: C values in [0, 1]; empty for features. Grey images (C = 1) become as many equal
            channels as there are values.
        std: C positive values; empty for features.
        channels_last: memory layout of the result.
    """
    if x.ndim == 2:
        return x
    if x.shape[1] != len(mean):
        x = x.repeat(1, len(mean), 1, 1)
    scale_C11, shift_C11 = _affine(mean, std, x.device)
    # two operations rather than a fused one, so that every device rounds alike
    return with_layout(x.float().mul_(scale_C11).add_(shift_C11), channels_last)


@lru_cache(maxsize=64)
def _affine(
    mean: tuple[float, ...], std: tuple[float, ...], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return the factor and the summand of each channel, (C, 1, 1) each."""
    with torch.inference_mode(False):
        centre = torch.tensor(mean, dtype=torch.float64).view(-1, 1, 1)
        width = torch.tensor(std, dtype=torch.float64).view(-1, 1, 1)
        scale, shift = 1.0 / (255.0 * width), -centre / width
        return sent(scale.float(), device), sent(shift.float(), device)
