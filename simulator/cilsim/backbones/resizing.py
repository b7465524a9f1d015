"""Images of any size to the size that a network takes, on the device.

Axis letters: B batch, C channels, H W pixels.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from cilsim.backbones.pretrained import ResizedOptions


class Resizing(nn.Module):
    """Resizes the shorter side and cuts out the centre, as torchvision's transforms do on tensors.

    Pixels are weighted in float with antialiasing and not rounded to whole numbers, so bicubic
    weights may lead slightly out of the range of the pixels. As every weight adds up to one, it
    does not matter that the images are normalised already.
    """

    def __init__(
        self, size: int | None, resize_to: int | None = None, interpolation: str = "bilinear"
    ) -> None:
        super().__init__()
        self.size = size
        self.resize_to = size if resize_to is None else resize_to
        self.interpolation = interpolation

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return (B, C, size, size), or the images themselves if that is what they are."""
        if self.resize_to is None:
            return images_BCHW
        height, width = images_BCHW.shape[2:]
        shorter = min(height, width)
        if shorter != self.resize_to:
            sides = tuple(self.resize_to * side // shorter for side in (height, width))
            images_BCHW = F.interpolate(
                images_BCHW, sides, mode=self.interpolation, antialias=True, align_corners=False
            )
        return _centre(images_BCHW, self.size)

    def extra_repr(self) -> str:
        """Return what `repr` shows."""
        return f"{self.size}, resize_to={self.resize_to}, {self.interpolation}"


def _centre(images_BCHW: Tensor, size: int | None) -> Tensor:
    height, width = images_BCHW.shape[2:]
    if size is None or (height, width) == (size, size):
        return images_BCHW
    top, left = (round((side - size) / 2) for side in (height, width))
    return images_BCHW[:, :, top : top + size, left : left + size]


def resizing(options: ResizedOptions) -> Resizing:
    """Return the module that options ask for."""
    return Resizing(options.image_size, options.resize_to, options.interpolation)
