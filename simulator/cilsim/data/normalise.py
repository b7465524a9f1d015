"""From stored samples to what a network takes.

Axis letters: B batch, C channels, H W pixels, D features.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from cilsim.data.layout import with_layout


def normalise(
    x: Tensor, mean: tuple[float, ...], std: tuple[float, ...], *, channels_last: bool = False
) -> Tensor:
    """Return (x / 255 - mean) / std per channel for images; features pass unchanged.

    Args:
        x: (B, C, H, W) images, uint8 or float on the scale 0 to 255, or (B, D) features. Float
            images are overwritten.
        mean: C values in [0, 1]; empty for features.
        std: C positive values; empty for features.
        channels_last: memory layout of the result.
    """
    if x.ndim == 2:
        return x
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
        return scale.float().to(device), shift.float().to(device)
