"""Random brightness, contrast and saturation on the float scale 0 to 255.

Axis letters: B batch, C channels, H W pixels.
"""

from __future__ import annotations

from torch import Tensor

from cilsim.scenario.recipe import Augmentation

GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""


def change_colour(
    images_BCHW: Tensor, augmentation: Augmentation, draws: dict[str, Tensor]
) -> Tensor:
    """Return float images with brightness, contrast and saturation changed, in this order."""
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
