"""What one optimiser step works on, and what its loss is.

Axis letters: B batch, C channels, H W pixels, D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(slots=True)
class Batch:
    """Samples of one step, after augmentation and normalisation.

    Attributes:
        x: float32 (B, C, H, W) images or (B, D) features.
        labels: (B,) int64, or None for an unlabelled part.
        position: (B,) int64 position of each sample within the part.
        experience: index of the experience.
        epoch: index of the epoch, from 0.
        step: index of the step within the epoch, from 0.
        progress: fraction of this training that is done, in [0, 1).
        views: how many augmentations of each sample `x` holds: it has views * B rows, all samples
            in the first view, then all in the second; `labels` and `position` have B.
    """

    x: Tensor
    labels: Tensor | None
    position: Tensor
    experience: int
    epoch: int
    step: int
    progress: float
    views: int = 1

    def __len__(self) -> int:
        return int(self.x.shape[0])


@dataclass(slots=True)
class TrainingLoss:
    """The loss of one step.

    Attributes:
        total: scalar to differentiate.
        logits: (B, K), from which the training accuracy is counted; None leaves it out.
        parts: scalars by name to report beside the total, such as a distillation term.
    """

    total: Tensor
    logits: Tensor | None = None
    parts: Mapping[str, Tensor] = field(default_factory=dict)
