"""Cutout: one black square per image (DeVries and Taylor 2017).

Axis letters: B batch, C channels, H W pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.data.augment.draws import whole


def cut_out(images_BCHW: Tensor, side: int, draws: dict[str, Tensor]) -> Tensor:
    """Return the images with one black square each, clipped at the border.

    Args:
        images_BCHW: uint8 or float images on the scale 0 to 255.
        side: of the square, in pixels.
        draws: uniform numbers (B,) `cutout_y` and `cutout_x` on the images' device.
    """
    height, width = images_BCHW.shape[2:]
    rows_BH = _covered(height, side, draws["cutout_y"])
    columns_BW = _covered(width, side, draws["cutout_x"])
    hole_B1HW = (rows_BH[:, :, None] & columns_BW[:, None, :]).unsqueeze(1)
    return images_BCHW.masked_fill(hole_B1HW, 0)


def _covered(size: int, side: int, uniform_B: Tensor) -> Tensor:
    """Return (B, size) booleans: the `side` positions around a random centre."""
    first_B1 = whole(uniform_B, size)[:, None] - side // 2
    positions = torch.arange(size, device=uniform_B.device)
    return (positions >= first_B1) & (positions < first_B1 + side)
