"""Changes of the levels of uint8 images, level for level as Pillow's ImageOps and ImageEnhance.

Axis letters: N images, C channels, H W pixels, L the 256 levels.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cilsim.data.transfer import sent

LEVELS = 256

GREY = (19595, 38470, 7471)
"""Weights of red, green and blue in 1/65536 (ITU-R BT.601)."""

Magnitudes = NDArray[np.float64]


def colour(images_NCHW: Tensor, change_N: Magnitudes) -> Tensor:
    """Return images between their grey version (-1) and twice their colour (1)."""
    return _enhance(images_NCHW, _grey(images_NCHW), change_N)


def contrast(images_NCHW: Tensor, change_N: Magnitudes) -> Tensor:
    """Return images between their mean grey level (-1) and twice the contrast (1)."""
    grey_N1HW = _grey(images_NCHW)
    pixels = grey_N1HW.shape[2] * grey_N1HW.shape[3]
    total_N111 = grey_N1HW.sum((2, 3), keepdim=True, dtype=torch.int64)
    mean_N111 = (2 * total_N111 + pixels) // (2 * pixels)
    return _enhance(images_NCHW, mean_N111, change_N)


def brightness(images_NCHW: Tensor, change_N: Magnitudes) -> Tensor:
    """Return images between black (-1) and twice the brightness (1)."""
    return _enhance(images_NCHW, torch.zeros_like(images_NCHW), change_N)


def sharpness(images_NCHW: Tensor, change_N: Magnitudes) -> Tensor:
    """Return images between a smoothed version (-1) and one sharpened as much (1).

    Smoothing weighs a pixel with 5/13 and its eight neighbours with 1/13; the outermost pixels
    stay as they are.
    """
    smooth_NCHW = images_NCHW.int()
    height, width = smooth_NCHW.shape[2:]
    if min(height, width) >= 3:
        middle = smooth_NCHW[:, :, 1:-1, 1:-1]
        total = 4 * middle
        for y in range(3):
            for x in range(3):
                total = total + smooth_NCHW[:, :, y : y + height - 2, x : x + width - 2]
        middle.copy_((2 * total + 13) // 26)
    return _enhance(images_NCHW, smooth_NCHW, change_N)


def posterize(images_NCHW: Tensor, bits_N: Magnitudes) -> Tensor:
    """Return images with only the highest bits of each level."""
    mask_N = (0xFF00 >> bits_N.astype(np.int64)) & 0xFF
    kept_N = sent(torch.from_numpy(mask_N.astype(np.uint8)), images_NCHW.device)
    return images_NCHW & kept_N.view(-1, 1, 1, 1)


def solarize(images_NCHW: Tensor, threshold_N: Magnitudes) -> Tensor:
    """Return images in which levels from a threshold on are inverted."""
    first_N = sent(torch.from_numpy(np.ceil(threshold_N).astype(np.int64)), images_NCHW.device)
    return torch.where(images_NCHW < first_N.view(-1, 1, 1, 1), images_NCHW, 255 - images_NCHW)


def invert(images_NCHW: Tensor, _: Magnitudes) -> Tensor:
    """Return negatives."""
    return 255 - images_NCHW


def autocontrast(images_NCHW: Tensor, _: Magnitudes) -> Tensor:
    """Return images in which the levels of each channel are spread over 0 to 255."""
    low_NC1 = images_NCHW.amin((2, 3)).double().unsqueeze(2)
    high_NC1 = images_NCHW.amax((2, 3)).double().unsqueeze(2)
    level_L = torch.arange(LEVELS, device=images_NCHW.device)
    scale_NC1 = torch.full_like(low_NC1, 255.0) / (high_NC1 - low_NC1)  # rounded as a division
    spread_NCL = (level_L * scale_NC1 + (-low_NC1 * scale_NC1)).clamp_(0.0, 255.0)
    table_NCL = torch.where(high_NC1 > low_NC1, spread_NCL, level_L.double())
    return _looked_up(images_NCHW, table_NCL.to(torch.uint8))


def equalize(images_NCHW: Tensor, _: Magnitudes) -> Tensor:
    """Return images in which every level of a channel is about equally frequent."""
    level_NCP = images_NCHW.flatten(2).long()
    pixels = level_NCP.shape[2]
    count_NCL = level_NCP.new_zeros(*level_NCP.shape[:2], LEVELS)
    count_NCL.scatter_add_(2, level_NCP, torch.ones_like(level_NCP))
    brightest_NC1 = count_NCL.gather(2, level_NCP.amax(2, keepdim=True))
    step_NC1 = (pixels - brightest_NC1) // (LEVELS - 1)
    darker_NCL = count_NCL.cumsum(2) - count_NCL
    even_NCL = (darker_NCL + step_NC1 // 2) // step_NC1.clamp(min=1)
    level_L = torch.arange(LEVELS, device=images_NCHW.device)
    table_NCL = torch.where(step_NC1 > 0, even_NCL.clamp_(max=LEVELS - 1), level_L)
    return _looked_up(images_NCHW, table_NCL.to(torch.uint8))


def _looked_up(images_NCHW: Tensor, table_NCL: Tensor) -> Tensor:
    return table_NCL.gather(2, images_NCHW.flatten(2).long()).view_as(images_NCHW)


def _enhance(images_NCHW: Tensor, dull: Tensor, change_N: Magnitudes) -> Tensor:
    """Return dull + (1 + change) * (images - dull), cut to the range and to whole levels."""
    factor_N = sent(torch.from_numpy((1.0 + change_N).astype(np.float32)), images_NCHW.device)
    dull = dull.float()
    value_NCHW = (images_NCHW.float() - dull).mul_(factor_N.view(-1, 1, 1, 1)).add_(dull)
    return value_NCHW.clamp_(0.0, 255.0).to(torch.uint8)


def _grey(images_NCHW: Tensor) -> Tensor:
    """Return int32 (N, 1, H, W); not red, green, blue: the mean of the channels."""
    channels = images_NCHW.int().unbind(1)
    if len(channels) == 3:
        red, green, blue = (level * weight for level, weight in zip(channels, GREY, strict=True))
        return ((red + green + blue + 0x8000) >> 16).unsqueeze(1)
    total_NHW = torch.stack(channels).sum(0, dtype=torch.int32)
    return ((2 * total_NHW + len(channels)) // (2 * len(channels))).unsqueeze(1)
