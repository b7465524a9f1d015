from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor


class Pictures:
    """Batches of uint8 images, and what Pillow makes of each."""

    def noise(
        self, count: int = 12, channels: int = 3, height: int = 13, width: int = 11
    ) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        shape = (count, channels, height, width)
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)

    def smooth(self, count: int = 12, height: int = 13, width: int = 11) -> Tensor:
        """Return images of few levels, flat ones and gradients among them."""
        noise = self.noise(count, 3, height, width).float()
        ramp = torch.linspace(0, 90, width).expand(count, 3, height, width)
        mixed = (0.1 * noise + ramp + 20 * torch.arange(count).view(-1, 1, 1, 1)).clamp(0, 255)
        mixed[0] = 77.0
        return mixed.to(torch.uint8)

    def each(self, images: Tensor, change: Callable[[int, Image.Image], Image.Image]) -> Tensor:
        """Return the batch of what `change(position, image)` gives."""
        changed = []
        for position, image in enumerate(images):
            pixels = image.permute(1, 2, 0).numpy()
            picture = Image.fromarray(pixels if images.shape[1] == 3 else pixels[:, :, 0])
            result = np.array(change(position, picture))
            changed.append(result if result.ndim == 3 else result[:, :, None])
        return torch.from_numpy(np.stack(changed)).permute(0, 3, 1, 2)


@pytest.fixture
def pictures() -> Pictures:
    return Pictures()
