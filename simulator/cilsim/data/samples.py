"""Samples of one part of one experience, resident on the device or read from the host.

Axis letters: N samples, C channels, H W pixels, D features.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

import torch
from torch import Tensor

from cilsim.data.host_rows import Rows, concatenated

NO_LABEL = -1
"""What stands for the label of a sample that came without one."""


@dataclass(frozen=True)
class Samples:
    """A part of an experience. Hidden labels are absent, not masked.

    Attributes:
        x: uint8 (N, C, H, W) images or float32 (N, D) features: a tensor on the device or, where
            the data set is too large for it, `HostRows`, of which a slice or index gives a tensor.
        labels: (N,) int64 labels, or None for an unlabelled part.
        index: (N,) int64 position of each sample in the data set (on the CPU).
        digest: hash that identifies data set, part and positions; keys the feature cache.
        mean: per channel in [0, 1], for normalisation; empty for features.
        std: likewise.
        crop: side of the centre square that the test transform cuts out; None takes images whole.
    """

    x: Rows
    labels: Tensor | None
    index: Tensor
    digest: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop: int | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def device(self) -> torch.device:
        """Where the samples live, or where their batches go."""
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
        x=concatenated([part.x for part in parts]),
        labels=torch.cat([_labels(part) for part in parts]),
        index=torch.cat([part.index for part in parts]),
        digest=sha256(f"joined {digests}".encode()).hexdigest(),
    )


def _labels(part: Samples) -> Tensor:
    if part.labels is not None:
        return part.labels
    return torch.full((len(part),), NO_LABEL, dtype=torch.int64, device=part.device)
