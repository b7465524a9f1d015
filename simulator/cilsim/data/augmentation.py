"""Random changes of training images as whole-tensor operations, each image with its own draws.

The draws come from a CPU generator and are copied to the images' device; the arithmetic uses
operations that round alike everywhere, so a seed gives the same images on any device.

Axis letters: B batch, C channels, H W pixels, P kinds of random number.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from cilsim.data.normalise import normalise
from cilsim.scenario.recipe import Augmentation

DRAWS = ("crop_y", "crop_x", "flip", "brightness", "contrast", "saturation", "cutout_y", "cutout_x")
"""One uniform number per image and kind. All are always drawn, so that switching one change off
leaves the draws of the others as they were."""

GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""


def augment(
    images_BCHW: Tensor,
    augmentation: Augmentation,
    generator: torch.Generator,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    *,
    channels_last: bool = False,
) -> Tensor:
    """Return augmented and normalised float32 images (B, C, H, W).

    The order is crop, flip, brightness, contrast, saturation, cutout, normalisation; after each
    change of colour values are clamped to the range of the pixels. Features pass unchanged.

    Args:
        images_BCHW: uint8 images, or (B, D) features.
        augmentation: what to do.
        generator: CPU generator, fresh for this step.
        mean: per channel in [0, 1].
        std: likewise.
        channels_last: memory layout of the result.
    """
    if images_BCHW.ndim == 2 or augmentation == _NOTHING:
        return normalise(images_BCHW, mean, std, channels_last=channels_last)
    uniform_PB = torch.rand(len(DRAWS), images_BCHW.shape[0], generator=generator)
    draws = dict(zip(DRAWS, uniform_PB.to(images_BCHW.device).unbind(), strict=True))
    images_BCHW = _crop_and_flip(images_BCHW, augmentation, draws)
    if augmentation.brightness or augmentation.contrast or augmentation.saturation:
        images_BCHW = _change_colour(images_BCHW.float(), augmentation, draws)
    if augmentation.cutout:
        images_BCHW = _cut_out(images_BCHW, augmentation.cutout, draws)
    return normalise(images_BCHW, mean, std, channels_last=channels_last)


_NOTHING = Augmentation()


def _crop_and_flip(
    images_BCHW: Tensor, augmentation: Augmentation, draws: dict[str, Tensor]
) -> Tensor:
    """Return the window of each padded image, mirrored or not, by one gather."""
    padding = augmentation.crop_padding
    if not (padding or augmentation.flip):
        return images_BCHW
    height, width = images_BCHW.shape[2:]
    rows_BH = _window(height, padding, draws["crop_y"])
    columns_BW = _window(width, padding, draws["crop_x"])
    if augmentation.flip:
        flipped_B1 = (draws["flip"] < 0.5)[:, None]
        columns_BW = torch.where(flipped_B1, columns_BW.flip(1), columns_BW)
    if padding and augmentation.crop_fill == "zero":
        images_BCHW = F.pad(images_BCHW, (padding,) * 4)
        rows_BH, columns_BW = rows_BH + padding, columns_BW + padding
    elif padding:
        rows_BH, columns_BW = _reflect(rows_BH, height), _reflect(columns_BW, width)
    return _take(images_BCHW, rows_BH, columns_BW)


def _window(size: int, padding: int, uniform_B: Tensor) -> Tensor:
    """Return (B, size) positions of a window shifted by a whole number in [-padding, padding]."""
    shift_B1 = _whole(uniform_B, 2 * padding + 1)[:, None] - padding
    return torch.arange(size, device=uniform_B.device) + shift_B1


def _whole(uniform_B: Tensor, choices: int) -> Tensor:
    """Return whole numbers in [0, choices); rounding never reaches `choices` below 2**24."""
    return (uniform_B * choices).long()


def _reflect(positions: Tensor, size: int) -> Tensor:
    """Return positions mirrored at the first and last pixel, as often as needed."""
    if size == 1:
        return torch.zeros_like(positions)
    period = 2 * (size - 1)
    folded = positions.remainder(period)
    return torch.minimum(folded, period - folded)


def _take(images_BCHW: Tensor, rows_BH: Tensor, columns_BW: Tensor) -> Tensor:
    count, channels, _, width = images_BCHW.shape
    flat_BHW = rows_BH[:, :, None] * width + columns_BW[:, None, :]
    size = flat_BHW.shape[1:]
    flat_BCP = flat_BHW.view(count, 1, -1).expand(-1, channels, -1)
    return images_BCHW.reshape(count, channels, -1).gather(2, flat_BCP).view(count, channels, *size)


def _change_colour(
    images_BCHW: Tensor, augmentation: Augmentation, draws: dict[str, Tensor]
) -> Tensor:
    if augmentation.brightness:
        factor = _factor(augmentation.brightness, draws["brightness"])
        images_BCHW = images_BCHW.mul(factor).clamp_(0.0, 255.0)
    if augmentation.contrast:
        factor = _factor(augmentation.contrast, draws["contrast"])
        images_BCHW = _blend(images_BCHW, _exact_mean(_grey(images_BCHW)), factor)
    if augmentation.saturation:
        factor = _factor(augmentation.saturation, draws["saturation"])
        images_BCHW = _blend(images_BCHW, _grey(images_BCHW), factor)
    return images_BCHW


def _factor(strength: float, uniform_B: Tensor) -> Tensor:
    """Return (B, 1, 1, 1) factors in [1 - strength, 1 + strength]."""
    return uniform_B.mul(2.0).sub_(1.0).mul_(strength).add_(1.0).view(-1, 1, 1, 1)


def _blend(images_BCHW: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    """Return factor * images + (1 - factor) * other, clamped to the range of the pixels."""
    return images_BCHW.mul(factor).add_(other.mul(1.0 - factor)).clamp_(0.0, 255.0)


def _grey(images_BCHW: Tensor) -> Tensor:
    """Return (B, 1, H, W); images that are not red, green, blue have the mean of their channels."""
    channels = images_BCHW.unbind(1)
    weights = GREY if len(channels) == 3 else (1.0 / len(channels),) * len(channels)
    grey_BHW = channels[0].mul(weights[0])
    for channel_BHW, weight in zip(channels[1:], weights[1:], strict=True):
        grey_BHW += channel_BHW.mul(weight)
    return grey_BHW.unsqueeze(1)


def _exact_mean(grey_B1HW: Tensor) -> Tensor:
    """Return (B, 1, 1, 1) means from integer sums, which do not depend on the order of summing."""
    fixed_point = grey_B1HW.mul(65536.0).round_().long()
    pixels = grey_B1HW.shape[2] * grey_B1HW.shape[3]
    total = fixed_point.sum((2, 3), keepdim=True).double()
    return total.mul_(1.0 / (65536.0 * pixels)).float()


def _cut_out(images_BCHW: Tensor, side: int, draws: dict[str, Tensor]) -> Tensor:
    """Return the images with one black square each (DeVries and Taylor 2017)."""
    height, width = images_BCHW.shape[2:]
    rows_BH = _covered(height, side, draws["cutout_y"])
    columns_BW = _covered(width, side, draws["cutout_x"])
    hole_B1HW = (rows_BH[:, :, None] & columns_BW[:, None, :]).unsqueeze(1)
    return images_BCHW.masked_fill(hole_B1HW, 0)


def _covered(size: int, side: int, uniform_B: Tensor) -> Tensor:
    """Return (B, size) booleans: the `side` positions around a random centre."""
    first_B1 = _whole(uniform_B, size)[:, None] - side // 2
    positions = torch.arange(size, device=uniform_B.device)
    return (positions >= first_B1) & (positions < first_B1 + side)
