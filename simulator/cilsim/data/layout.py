"""One memory layout for images and convolution weights.

Axis letters: B batch, C channels, H W pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor


def with_layout(tensor: Tensor, channels_last: bool) -> Tensor:
    """Return a 4-D tensor with exactly the strides of the layout, itself if it has them.

    `Tensor.contiguous` leaves strides alone that fit both layouts, as with one channel or a 1x1
    kernel. A convolution still chooses its algorithm, and so its rounding, by them.
    """
    _, channels, height, width = tensor.shape
    image = channels * height * width
    if tensor.stride() == (
        (image, 1, width * channels, channels)
        if channels_last
        else (image, height * width, width, 1)
    ):
        return tensor
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return torch.empty_like(tensor, memory_format=layout).copy_(tensor)
