"""Keeping features where an older backbone had them.

Axis letters: B batch, D features.
"""

from __future__ import annotations

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
