"""Samples of one part of one experience, resident on the device.

Axis letters: N samples, C channels, H W pixels, D features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Samples:
    """A part of an experience on the device. Hidden labels are absent, not masked.

    Attributes:
        x: uint8 (N, C, H, W) images or float32 (N, D) features.
        labels: (N,) int64 labels, or None for an unlabelled part.
        index: (N,) int64 position of each sample in the data set (on the CPU).
        digest: hash that identifies data set, part and positions; keys the feature cache.
        mean: per channel in [0, 1], for normalisation; empty for features.
        std: likewise.
    """

    x: Tensor
    labels: Tensor | None
    index: Tensor
    digest: str
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __len__(self) -> int:
        return int(self.x.shape[0])

    @property
    def device(self) -> torch.device:
        """Where the samples live."""
        return self.x.device

    @property
    def are_features(self) -> bool:
        """Whether the samples are ready features rather than images."""
        return self.x.ndim == 2
