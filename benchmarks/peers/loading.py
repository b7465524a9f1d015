"""The loader that the tools share: one PIL image at a time, transformed, then collated.

Axis letters: N samples, B batch, C channels, H W pixels, D features.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.peers.given import Given, Images


class PilImages(Dataset[Any]):
    """Images as torchvision's CIFAR data sets hand them out, each through a transform."""

    def __init__(self, images: Images, transform: Callable[[Any], Tensor] | None = None) -> None:
        self.images = images
        self.transform = transform
        self.targets = images.labels.tolist()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> tuple[Any, int]:
        from PIL import Image

        image: Any = Image.fromarray(self.images.pixels[position])
        if self.transform is not None:
            image = self.transform(image)
        return image, self.targets[position]


def plain_transform(given: Given) -> Any:
    """Return the transform of test images: to a tensor, normalised."""
    from torchvision import transforms

    return transforms.Compose([transforms.ToTensor(), transforms.Normalize(given.mean, given.std)])


def plain_loader(
    given: Given, images: Images, batch_size: int, *, shuffle: bool = False
) -> DataLoader[Any]:
    """Return a loader of images under the test transform."""
    dataset = PilImages(images, plain_transform(given))
    return DataLoader(dataset, batch_size, shuffle=shuffle, num_workers=given.workers())


@torch.no_grad()
def features(
    backbone: nn.Module, loader: DataLoader[Any], device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return (N, D) features and (N,) labels of everything that a loader gives."""
    rows, labels = [], []
    for images_BCHW, label_B in loader:
        rows.append(backbone(images_BCHW.to(device)).cpu().numpy())
        labels.append(label_B.numpy())
    return np.concatenate(rows), np.concatenate(labels)
