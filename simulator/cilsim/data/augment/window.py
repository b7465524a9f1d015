"""Random crop from a padded image and mirroring, by one gather.

Axis letters: B batch, C channels, H W pixels, P pixels in a row.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from cilsim.data.augment.draws import whole
from cilsim.scenario.recipe import Augmentation


def crop_and_flip(
    images_BCHW: Tensor,
    augmentation: Augmentation,
    draws: dict[str, Tensor],
    crop: int | None = None,
) -> Tensor:
    """Return a random window of each padded image, mirrored or not.

    Args:
        images_BCHW: the images.
        augmentation: padding, what it holds, and whether to mirror.
        draws: uniform numbers (B,) `crop_y`, `crop_x` and `flip` on the images' device.
        crop: side of the window; None keeps the size, and so does a padding of 0.
    """
    padding = augmentation.crop_padding
    if not (padding or augmentation.flip):
        return images_BCHW
    height, width = images_BCHW.shape[2:]
    side = crop if padding else None
    rows_BH = _window(height, side or height, padding, draws["crop_y"])
    columns_BW = _window(width, side or width, padding, draws["crop_x"])
    if augmentation.flip:
        flipped_B1 = (draws["flip"] < 0.5)[:, None]
        columns_BW = torch.where(flipped_B1, columns_BW.flip(1), columns_BW)
    if padding and augmentation.crop_fill == "zero":
        images_BCHW = F.pad(images_BCHW, (padding,) * 4)
        rows_BH, columns_BW = rows_BH + padding, columns_BW + padding
    elif padding:
        rows_BH, columns_BW = _reflect(rows_BH, height), _reflect(columns_BW, width)
    return _take(images_BCHW, rows_BH, columns_BW)


def _window(size: int, side: int, padding: int, uniform_B: Tensor) -> Tensor:
    """Return (B, side) positions of a random window of `size` pixels with padding around them."""
    first_B1 = whole(uniform_B, size - side + 2 * padding + 1)[:, None] - padding
    return torch.arange(side, device=uniform_B.device) + first_B1


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
