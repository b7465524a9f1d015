"""The order of the changes, and the random numbers that they share.

Axis letters: B batch, C channels, H W pixels, P kinds of random number.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.data.augment import autoaugment, resized_crop
from cilsim.data.augment.colour import change_colour
from cilsim.data.augment.cutout import cut_out
from cilsim.data.augment.window import crop_and_flip
from cilsim.data.normalise import centre_crop, normalise
from cilsim.data.transfer import sent
from cilsim.scenario.recipe import Augmentation

DRAWS = ("crop_y", "crop_x", "flip", "brightness", "contrast", "saturation", "cutout_y", "cutout_x")
"""One uniform number per image and kind. All are always drawn, so that switching one change off
leaves the draws of the others as they were; those of AutoAugment and of the resized crop come
after them, in this order, where they are asked for."""

_NOTHING = Augmentation()


def augment(
    images_BCHW: Tensor,
    augmentation: Augmentation,
    generator: torch.Generator,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    *,
    crop: int | None = None,
    channels_last: bool = False,
) -> Tensor:
    """Return augmented and normalised float32 images (B, C, H, W).

    The order is crop, flip, AutoAugment, brightness, contrast, saturation, cutout, normalisation;
    after each change of colour values are clamped to the range of the pixels. Features pass
    unchanged.

    Args:
        images_BCHW: uint8 images, or (B, D) features.
        augmentation: what to do.
        generator: CPU generator, fresh for this step.
        mean: per channel in [0, 1].
        std: likewise.
        crop: side of the result, cut out of a random place by a random crop and out of the centre
            without one. None keeps the size of the images.
        channels_last: memory layout of the result.
    """
    if images_BCHW.ndim == 2 or augmentation == _NOTHING:
        images_BCHW = centre_crop(images_BCHW, crop)
        return normalise(images_BCHW, mean, std, channels_last=channels_last)
    uniform_PB = torch.rand(len(DRAWS), images_BCHW.shape[0], generator=generator)
    draws = dict(zip(DRAWS, sent(uniform_PB, images_BCHW.device).unbind(), strict=True))
    images_BCHW = _geometry_and_policy(images_BCHW, augmentation, draws, generator, crop)
    if augmentation.brightness or augmentation.contrast or augmentation.saturation:
        images_BCHW = change_colour(images_BCHW.float(), augmentation, draws)
    if augmentation.cutout:
        images_BCHW = cut_out(images_BCHW, augmentation.cutout, draws)
    return normalise(images_BCHW, mean, std, channels_last=channels_last)


def _geometry_and_policy(
    images_BCHW: Tensor,
    augmentation: Augmentation,
    draws: dict[str, Tensor],
    generator: torch.Generator,
    crop: int | None,
) -> Tensor:
    """Return uint8 images after crop, flip and AutoAugment."""
    count = images_BCHW.shape[0]
    resized, policy = augmentation.random_resized_crop, augmentation.autoaugment
    policy_PB = resized_PB = torch.empty(0)
    if resized or policy is not None:
        policy_PB = torch.rand(autoaugment.DRAWS, count, generator=generator)
    if resized:
        resized_PB = torch.rand(resized_crop.DRAWS, count, generator=generator)
        images_BCHW = resized_crop.random_resized_crop(
            images_BCHW, resized_PB, augmentation, _output_size(images_BCHW, augmentation, crop)
        )
    elif not augmentation.crop_padding:
        images_BCHW = centre_crop(images_BCHW, crop)
    images_BCHW = crop_and_flip(images_BCHW, augmentation, draws, None if resized else crop)
    if policy is not None:
        images_BCHW = autoaugment.autoaugment(images_BCHW, policy, policy_PB)
    return images_BCHW


def _output_size(
    images_BCHW: Tensor, augmentation: Augmentation, crop: int | None
) -> tuple[int, int]:
    """Return height and width of training images after a resized crop."""
    side = augmentation.resized_crop_size or crop
    if side is not None:
        return side, side
    height, width = images_BCHW.shape[2:]
    return height, width
