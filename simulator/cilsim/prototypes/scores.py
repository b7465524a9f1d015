"""Scores of features against prototypes; the nearest prototype has the largest score.

Axis letters: N samples, B batch, D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

NORM_FLOOR = 1e-12
"""Vectors shorter than this are divided by it instead of by their norm, so 0 stays 0."""


SLICE = 4096
"""Samples at a time where only the best score of each is wanted."""


def best_rows(features_ND: Tensor, scores: Callable[[Tensor], Tensor]) -> Tensor:
    """Return (N,) the place of the largest of each sample's scores, the first on ties.

    Args:
        features_ND: (N, D) features; they and their scores are never copied or held as a whole.
        scores: returns (B, K) scores of (B, D) features.
    """
    starts = range(0, max(1, len(features_ND)), SLICE)
    return torch.cat([scores(features_ND[start : start + SLICE]).argmax(1) for start in starts])


def cosine_scores(features_BD: Tensor, prototypes_KD: Tensor, scale: float = 1.0) -> Tensor:
    """Return (B, K) `scale` times the cosine of each feature with each prototype.

    Lengths of features and prototypes and the scale leave the prediction as it is. Computed in
    the precision of the prototypes, whatever autocast says.

    Args:
        features_BD: (B, D) features.
        prototypes_KD: (K, D) prototypes.
        scale: the temperature T of few-shot papers (16 or 32), which multiplies.
    """
    with torch.autocast(features_BD.device.type, enabled=False):
        unit_BD = F.normalize(features_BD.to(prototypes_KD.dtype), dim=1, eps=NORM_FLOOR)
        unit_KD = F.normalize(prototypes_KD, dim=1, eps=NORM_FLOOR)
        return scale * (unit_BD @ unit_KD.T)


def euclidean_scores(
    features_BD: Tensor, prototypes_KD: Tensor, *, normalise: bool = False
) -> Tensor:
    """Return (B, K) minus the squared Euclidean distance of each feature to each prototype.

    One matrix product; both sides are moved by the prototypes' mean before, so that a common
    offset costs no digits. With `normalise` the ranking is that of `cosine_scores`.

    Args:
        features_BD: (B, D) features.
        prototypes_KD: (K, D) prototypes.
        normalise: whether to divide both sides by their L2 norms first.
    """
    with torch.autocast(features_BD.device.type, enabled=False):
        features_BD = features_BD.to(prototypes_KD.dtype)
        if normalise:
            features_BD = F.normalize(features_BD, dim=1, eps=NORM_FLOOR)
            prototypes_KD = F.normalize(prototypes_KD, dim=1, eps=NORM_FLOOR)
        centre_D = prototypes_KD.mean(0)
        features_BD, prototypes_KD = features_BD - centre_D, prototypes_KD - centre_D
        squares_BK = features_BD.square().sum(1, keepdim=True) + prototypes_KD.square().sum(1)
        return (2.0 * features_BD @ prototypes_KD.T - squares_BK).clamp_max(0.0)
