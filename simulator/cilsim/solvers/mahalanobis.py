"""Mahalanobis distances to many classes in batched products and bounded memory.

Every distance takes `max_bytes`, a bound on the largest intermediate tensor, by default the
device's. Axis letters: N samples, B samples of a slice, D features, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.solvers.chunking import bound_in_cache, chunks

ROWS = 256
"""Samples that share one reading of the matrices: fewer make it dear, more crowd classes out."""


def class_distances(
    features_ND: Tensor, means_KD: Tensor, precisions_KDD: Tensor, *, max_bytes: int | None = None
) -> Tensor:
    """Return (N, K) d' P_k d with d = x - mean_k, each class with a matrix of its own.

    Args:
        features_ND: (N, D) features.
        means_KD: (K, D) class means.
        precisions_KDD: (K, D, D) inverse covariances.
        max_bytes: see above.
    """
    bound, row_bytes = _bound_and_row_bytes(features_ND, max_bytes)
    distances_NK = features_ND.new_empty(len(features_ND), len(means_KD))
    with torch.autocast(features_ND.device.type, enabled=False):
        for rows in chunks(len(features_ND), row_bytes, min(bound, ROWS * row_bytes)):
            x_BD = features_ND[rows]
            for classes in chunks(len(means_KD), row_bytes * len(x_BD), bound):
                apart_KBD = x_BD - means_KD[classes].unsqueeze(1)
                products_KBD = apart_KBD @ precisions_KDD[classes]
                distances_NK[rows, classes] = products_KBD.mul_(apart_KBD).sum(2).T
    return distances_NK


def shared_distances(
    features_ND: Tensor, means_KD: Tensor, precision_DD: Tensor, *, max_bytes: int | None = None
) -> Tensor:
    """Return (N, K) d' P d with d = x - mean_k and one matrix for all classes.

    x'Px - 2 x'Pm + m'Pm, both sides moved by the mean of the means, so that a common offset costs
    no digits. Computed in the precision of the means.
    """
    bound, row_bytes = _bound_and_row_bytes(means_KD, max_bytes)
    distances_NK = means_KD.new_empty(len(features_ND), len(means_KD))
    with torch.autocast(features_ND.device.type, enabled=False):
        centre_D = means_KD.mean(0)
        m_KD = means_KD - centre_D
        weighted_KD = m_KD @ precision_DD
        squares_K = (weighted_KD * m_KD).sum(1)
        for rows in chunks(len(features_ND), row_bytes, bound):
            x_BD = features_ND[rows].to(means_KD.dtype) - centre_D
            squares_B1 = ((x_BD @ precision_DD) * x_BD).sum(1, keepdim=True)
            distances_NK[rows] = squares_B1 - 2.0 * x_BD @ weighted_KD.T + squares_K
    return distances_NK


def diagonal_distances(
    features_ND: Tensor, means_KD: Tensor, weights_KD: Tensor, *, max_bytes: int | None = None
) -> Tensor:
    """Return (N, K) sum_j w_kj (x_j - mean_kj)^2, diagonal matrices: three matrix products."""
    bound, row_bytes = _bound_and_row_bytes(features_ND, max_bytes)
    distances_NK = features_ND.new_empty(len(features_ND), len(means_KD))
    with torch.autocast(features_ND.device.type, enabled=False):
        centre_D = means_KD.mean(0)
        m_KD = means_KD - centre_D
        weighted_KD = weights_KD * m_KD
        squares_K = (weighted_KD * m_KD).sum(1)
        for rows in chunks(len(features_ND), row_bytes, bound):
            x_BD = features_ND[rows] - centre_D
            crossed_BK = x_BD @ weighted_KD.T
            distances_NK[rows] = x_BD.square() @ weights_KD.T - 2.0 * crossed_BK + squares_K
    return distances_NK


def _bound_and_row_bytes(rows_ND: Tensor, max_bytes: int | None) -> tuple[int, int]:
    return bound_in_cache(max_bytes, rows_ND.device), rows_ND.shape[1] * rows_ND.itemsize
