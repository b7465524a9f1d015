"""Keeping features where an older backbone had them.

Axis letters: B batch, D features.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def feature_distance(features_BD: Tensor, old_BD: Tensor) -> Tensor:
    """Return the norm of the whole difference, neither squared nor averaged over the batch.

    Its size grows with the root of the batch size. The distillation term of PASS (Zhu et al.
    2021) and of NAPA-VQ (Malepathirana et al. 2023), as released.

    Args:
        features_BD: (B, D) features of the backbone that is trained.
        old_BD: (B, D) features of the frozen one.
    """
    distance: Tensor = (features_BD.float() - old_BD.float()).norm()
    return distance


def unit_feature_distance(features_ND: Tensor, old_ND: Tensor) -> Tensor:
    """Return the mean over rows of the squared distance of normalised features: 2 - 2 cosine.

    The distillation term of Happy (Ma et al. 2024), as released; the paper has half of it.

    Args:
        features_ND: (N, D) features of the backbone that is trained.
        old_ND: (N, D) features of the frozen one.
    """
    gap_ND = F.normalize(features_ND.float()) - F.normalize(old_ND.float())
    return gap_ND.square().sum(1).mean()
