"""Random resized crop: a window of random area and aspect, resized (Szegedy et al. 2015).

The windows are drawn as torchvision's `RandomResizedCrop` draws them and resized as Pillow
resizes: bilinear with antialiasing, width before height, rounded to whole levels after each.

Axis letters: B batch, A attempts, C channels, H W pixels, O pixels of the result in a row.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cilsim.data.augment.draws import whole
from cilsim.data.transfer import sent
from cilsim.scenario.recipe import Augmentation

ATTEMPTS = 10
"""How often a window that does not fit is drawn again before the largest central one is taken."""

FIXED_POINT = 1 << 22

DRAWS = 2 * ATTEMPTS + 2
"""Uniform numbers per image: areas, aspects, and where the window lies."""


def random_resized_crop(
    images_BCHW: Tensor, uniform_PB: Tensor, augmentation: Augmentation, size: tuple[int, int]
) -> Tensor:
    """Return uint8 (B, C, *size), a random window of each image resized.

    Args:
        images_BCHW: uint8 images.
        uniform_PB: (22, B) uniform numbers on the CPU.
        augmentation: scale and ratio of the windows.
        size: height and width of the result.
    """
    height, width = images_BCHW.shape[2:]
    window_4B = windows(uniform_PB, (height, width), augmentation)
    top_B, left_B, height_B, width_B = sent(window_4B, images_BCHW.device).unbind()
    return resize(images_BCHW, (top_B, height_B), (left_B, width_B), size)


def windows(uniform_PB: Tensor, image: tuple[int, int], augmentation: Augmentation) -> Tensor:
    """Return (4, B) int64: top, left, height and width of each window.

    Args:
        uniform_PB: (22, B) uniform numbers.
        image: height and width of the images.
        augmentation: bounds of area (as a fraction) and of aspect (width by height).
    """
    height, width = image
    uniform_PB = uniform_PB.double()
    area_AB = _between(augmentation.resized_crop_scale, uniform_PB[:ATTEMPTS]) * (height * width)
    low, high = augmentation.resized_crop_ratio
    logs = (math.log(low), math.log(high))
    aspect_AB = _between(logs, uniform_PB[ATTEMPTS : 2 * ATTEMPTS]).exp()
    width_AB = (area_AB * aspect_AB).sqrt().round().long()
    height_AB = (area_AB / aspect_AB).sqrt().round().long()
    fits_AB = (width_AB > 0) & (width_AB <= width) & (height_AB > 0) & (height_AB <= height)
    first_1B = fits_AB.int().argmax(0, keepdim=True)
    found_B = fits_AB.any(0)
    whole_height, whole_width = _central(height, width, low, high)
    height_B = torch.where(found_B, height_AB.gather(0, first_1B)[0], whole_height)
    width_B = torch.where(found_B, width_AB.gather(0, first_1B)[0], whole_width)
    top_B = whole(uniform_PB[-2], height - height_B + 1)
    left_B = whole(uniform_PB[-1], width - width_B + 1)
    top_B = torch.where(found_B, top_B, (height - whole_height) // 2)
    left_B = torch.where(found_B, left_B, (width - whole_width) // 2)
    return torch.stack([top_B, left_B, height_B, width_B])


def _between(bounds: tuple[float, float], uniform: Tensor) -> Tensor:
    return bounds[0] + (bounds[1] - bounds[0]) * uniform


def _central(height: int, width: int, low: float, high: float) -> tuple[int, int]:
    """Return height and width of the largest central window with an aspect that is allowed."""
    if width / height < low:
        return round(width / low), width
    if width / height > high:
        return height, round(height * high)
    return height, width


def resize(
    images_BCHW: Tensor,
    rows: tuple[Tensor, Tensor],
    columns: tuple[Tensor, Tensor],
    size: tuple[int, int],
) -> Tensor:
    """Return uint8 (B, C, *size): a window of each image, resized.

    Args:
        images_BCHW: uint8 images.
        rows: (B,) first row and number of rows of each window.
        columns: (B,) first column and number of columns.
        size: height and width of the result.
    """
    height, width = images_BCHW.shape[2:]
    across_B1WO = _weights(*columns, width, size[1]).mT.unsqueeze(1)
    down_B1OH = _weights(*rows, height, size[0]).unsqueeze(1)
    wide_BCHO = _levels(images_BCHW.double() @ across_B1WO)
    return _levels(down_B1OH @ wide_BCHO).to(torch.uint8)


def _weights(first_B: Tensor, count_B: Tensor, pixels: int, out: int) -> Tensor:
    """Return (B, out, pixels): how much each pixel of a row counts in each pixel of the result.

    They are multiples of 2**-22, as in Pillow, so that double precision sums them exactly.
    """
    scale_B11 = (count_B.double() / out).view(-1, 1, 1)
    device = first_B.device
    inside_B1W = torch.arange(pixels, device=device) - first_B.view(-1, 1, 1)
    centre_BO1 = (torch.arange(out, device=device).view(1, -1, 1) + 0.5) * scale_B11
    distance_BOW = (inside_B1W - centre_BO1 + 0.5).mul_(scale_B11.clamp(min=1.0).reciprocal())
    weight_BOW = distance_BOW.abs_().neg_().add_(1.0).clamp_(min=0.0)
    weight_BOW *= (inside_B1W >= 0) & (inside_B1W < count_B.view(-1, 1, 1))
    weight_BOW *= weight_BOW.sum(2, keepdim=True).reciprocal()
    return weight_BOW.mul_(FIXED_POINT).add_(0.5).floor_().div_(FIXED_POINT)


def _levels(values: Tensor) -> Tensor:
    """Return values rounded to whole levels of a pixel."""
    return values.add_(0.5).floor_().clamp_(0.0, 255.0)
