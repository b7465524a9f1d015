"""Augmented prototypes: old classes stand in the loss as Gaussian clouds around their means.

Axis letters: N samples, B drawn prototypes, K classes, D features.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from cilsim.solvers.distances import cluster_sums


def noisy_prototypes(
    prototypes_KD: Tensor, class_B: Tensor, noise_BD: Tensor, radius: float
) -> Tensor:
    """Return (B, D) prototypes p_o + r e (Zhu et al. 2021, prototype augmentation).

    Args:
        prototypes_KD: (K, D) mean features of the old classes.
        class_B: (B,) which of them.
        noise_BD: (B, D) standard normal draws e.
        radius: r.
    """
    return prototypes_KD.index_select(0, class_B) + radius * noise_BD


def draw(
    old_classes: int, count: int, feature_size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return (B,) classes, uniform with replacement, and (B, D) standard normal noise.

    Args:
        old_classes: how many there are.
        count: B.
        feature_size: D.
        generator: CPU generator, fresh for the step.
    """
    class_B = torch.randint(old_classes, (count,), generator=generator)
    return class_B, torch.randn(count, feature_size, generator=generator)


def cloud_radius(
    features_ND: Tensor,
    labels_N: Tensor,
    means_KD: Tensor,
    kind: Literal["trace", "deviation"] = "trace",
) -> float:
    """Return the radius r of the base classes' clouds.

    `trace`: sqrt(mean_c trace(cov_c) / D) with cov_c divided by n_c - 1; a class of one sample has
    none. `deviation`: mean over classes and dimensions of the standard deviation, divided by n_c.

    Args:
        features_ND: (N, D) features of the base.
        labels_N: (N,) labels from 0 to K - 1.
        means_KD: (K, D) their means.
        kind: which definition.
    """
    residuals_ND = features_ND - means_KD.index_select(0, labels_N)
    sums_1KD, counts_1K = cluster_sums(residuals_ND.square_(), labels_N.unsqueeze(0), len(means_KD))
    sums_KD, counts_K1 = sums_1KD[0], counts_1K[0].unsqueeze(1)
    if kind == "deviation":
        return float((sums_KD / counts_K1.clamp_min(1)).sqrt().mean())
    return float((sums_KD / (counts_K1 - 1).clamp_min(1)).mean().sqrt())
