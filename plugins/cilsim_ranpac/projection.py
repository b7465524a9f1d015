"""Random ReLU features.

Axis letters: N samples, D features, M random features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def draw_projection(feature_size: int, random_features: int, generator: torch.Generator) -> Tensor:
    """Return (D, M) draws from N(0, 1), not scaled by 1/sqrt(D): the ridges depend on it."""
    return torch.randn(feature_size, random_features, generator=generator)


def random_features(features_ND: Tensor, projection_DM: Tensor | None) -> Tensor:
    """Return (N, M) relu(x W), or the features themselves without a projection."""
    if projection_DM is None:
        return features_ND
    with torch.autocast(features_ND.device.type, enabled=False):
        return F.relu(features_ND @ projection_DM)
