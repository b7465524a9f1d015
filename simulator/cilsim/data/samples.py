"""Samples of one part of one experience, resident on the device.

Axis letters: N samples, C channels, H W pixels, D features.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

import torch
from torch import Tensor

NO_LABEL = -1
"""What stands for the label of a sample that came without one."""


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
        crop: side of the centre square that the test transform cuts out; None takes images whole.
    """

    x: Tensor
    labels: Tensor | None
    index: Tensor
    digest: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop: int | None = None

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


def joined(labelled: Samples | None, unlabelled: Samples | None) -> Samples:
    """Return labelled samples followed by unlabelled ones, whose labels are `NO_LABEL`.

    Raises:
        ValueError: there is neither.
    """
    parts = [part for part in (labelled, unlabelled) if part is not None]
    if not parts:
        raise ValueError("neither labelled nor unlabelled samples")
    digests = "+".join(part.digest for part in parts)
    return replace(
        parts[0],
        x=torch.cat([part.x for part in parts]),
        labels=torch.cat([_labels(part) for part in parts]),
        index=torch.cat([part.index for part in parts]),
        digest=sha256(f"joined {digests}".encode()).hexdigest(),
    )


def _labels(part: Samples) -> Tensor:
    if part.labels is not None:
        return part.labels
    return torch.full((len(part),), NO_LABEL, dtype=torch.int64, device=part.device)
