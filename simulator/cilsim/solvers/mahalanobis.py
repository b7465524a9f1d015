"""Mahalanobis distances to many classes in batched products and bounded memory.

Axis letters: B batch, D features, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.solvers.distances import chunks


def class_distances(features_BD: Tensor, means_KD: Tensor, precisions_KDD: Tensor) -> Tensor:
    """Return (B, K) d' P_k d with d = x - mean_k, each class with a matrix of its own.

    Args:
        features_BD: (B, D) features.
        means_KD: (K, D) class means.
        precisions_KDD: (K, D, D) inverse covariances.
    """
    distances_BK = features_BD.new_empty(len(features_BD), len(means_KD))
    size = max(1, features_BD.shape[1])
    with torch.autocast(features_BD.device.type, enabled=False):
        for rows in chunks(len(features_BD), size):
            x_BD = features_BD[rows]
            for classes in chunks(len(means_KD), size * max(size, len(x_BD))):
                apart_KBD = x_BD - means_KD[classes].unsqueeze(1)
                products_KBD = apart_KBD @ precisions_KDD[classes]
                distances_BK[rows, classes] = (products_KBD * apart_KBD).sum(2).T
    return distances_BK


def shared_distances(features_BD: Tensor, means_KD: Tensor, precision_DD: Tensor) -> Tensor:
    """Return (B, K) d' P d with d = x - mean_k and one matrix for all classes.

    x'Px - 2 x'Pm + m'Pm, both sides moved by the mean of the means, so that a common offset costs
    no digits.
    """
    with torch.autocast(features_BD.device.type, enabled=False):
        centre_D = means_KD.mean(0)
        x_BD, m_KD = features_BD - centre_D, means_KD - centre_D
        weighted_BD = x_BD @ precision_DD
        squares_B = (weighted_BD * x_BD).sum(1, keepdim=True)
        squares_K = ((m_KD @ precision_DD) * m_KD).sum(1)
        return squares_B - 2.0 * weighted_BD @ m_KD.T + squares_K


def diagonal_distances(features_BD: Tensor, means_KD: Tensor, weights_KD: Tensor) -> Tensor:
    """Return (B, K) sum_j w_kj (x_j - mean_kj)^2, diagonal matrices: three matrix products."""
    with torch.autocast(features_BD.device.type, enabled=False):
        centre_D = means_KD.mean(0)
        x_BD, m_KD = features_BD - centre_D, means_KD - centre_D
        squares_K = (weights_KD * m_KD.square()).sum(1)
        crossed_BK = x_BD @ (weights_KD * m_KD).T
        return x_BD.square() @ weights_KD.T - 2.0 * crossed_BK + squares_K
