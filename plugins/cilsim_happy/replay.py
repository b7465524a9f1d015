"""Seen classes stand in the loss as prototypes with noise, those easily confused more often.

Axis letters: M draws, D features, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.data.transfer import sent


def mean_similarity(prototypes_KD: Tensor) -> Tensor:
    """Return (K,) the mean cosine of each unit prototype to the others; 0 where there are none."""
    cosine_KK = prototypes_KD @ prototypes_KD.T
    return (cosine_KK.sum(1) - cosine_KK.diagonal()) / max(1, len(prototypes_KD) - 1)


def hardness(prototypes_KD: Tensor, temperature: float) -> Tensor:
    """Return (K,) the probabilities by which prototypes are drawn: softmax of mean similarity.

    Those that resemble the others are the hard ones (Ma et al. 2024, hardness-aware sampling).
    """
    return F.softmax(mean_similarity(prototypes_KD) / temperature, dim=0)


@dataclass(frozen=True)
class Replay:
    """What prototypes are drawn from during a stage.

    Attributes:
        prototypes: (K, D) unit rows, on the device.
        hardness: (K,) probabilities, on the CPU, where they are drawn.
        radius: standard deviation of the noise in each dimension.
    """

    prototypes: Tensor
    hardness: Tensor
    radius: float

    @classmethod
    def of(cls, prototypes_KD: Tensor, radius: float, temperature: float) -> Replay:
        """Return the replay of prototypes whose lengths do not count."""
        unit_KD = F.normalize(prototypes_KD)
        return cls(unit_KD, hardness(unit_KD, temperature).cpu(), radius)

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return (M,) classes, with replacement, and (M, D) prototype + radius x noise.

        Args:
            count: M.
            generator: CPU generator, fresh for the step.
        """
        class_M = torch.multinomial(self.hardness, count, replacement=True, generator=generator)
        noise_MD = torch.randn(count, self.prototypes.shape[1], generator=generator)
        device = self.prototypes.device
        return self.noisy(sent(class_M, device), sent(noise_MD, device))

    def noisy(self, class_M: Tensor, noise_MD: Tensor) -> tuple[Tensor, Tensor]:
        """Return the classes, and their prototypes + radius x noise, not normalised."""
        return class_M, self.prototypes.index_select(0, class_M) + self.radius * noise_MD
