"""k-means++: first centres drawn far from each other, for all restarts at once.

Arthur and Vassilvitskii 2007. Axis letters: N points, D features, R restarts, K clusters, C pinned
clusters, M centres to draw, A candidates per draw.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.solvers.distances import nearest

_RESOLUTION = 2.0**31


def draw_centres(
    points_ND: Tensor, squares_N: Tensor, pinned_CD: Tensor, draws_RMA: Tensor
) -> Tensor:
    """Return (R, C + M, D) the pinned centres followed by M points per restart.

    Each further centre is a point drawn with probability proportional to its squared distance to
    the nearest centre so far: with u uniform, the first point whose cumulative share reaches u.
    Of A such candidates the one that leaves the smallest sum of those distances is taken, the
    first on ties (the greedy form of scikit-learn; A = 1 is the paper). Without pinned centres the
    first one is point floor(u N). If every point coincides with a centre, point 0 is taken.

    Args:
        points_ND: (N, D) points.
        squares_N: (N,) their squared norms.
        pinned_CD: (C, D) centres that exist already; C may be 0.
        draws_RMA: (R, M, A) float64 uniforms in [0, 1).
    """
    restarts, free, _ = draws_RMA.shape
    pinned = len(pinned_CD)
    centres_RKD = points_ND.new_empty(restarts, pinned + free, points_ND.shape[1])
    centres_RKD[:, :pinned] = pinned_CD
    closest_RN = points_ND.new_full((restarts, len(points_ND)), torch.inf)
    if pinned and free:
        closest_RN[:] = nearest(points_ND, squares_N, pinned_CD.unsqueeze(0))[1].T
    for column in range(free):
        if pinned + column == 0:
            index_RA = (draws_RMA[:, 0, :1] * len(points_ND)).long()
        else:
            index_RA = _candidates(closest_RN, draws_RMA[:, column])
        chosen_R, closest_RN = _best_candidate(closest_RN, points_ND, squares_N, index_RA)
        centres_RKD[:, pinned + column] = points_ND[chosen_R]
    return centres_RKD


def _candidates(closest_RN: Tensor, draws_RA: Tensor) -> Tensor:
    """Return (R, A) points per restart, by the inverse of the cumulative weights.

    Weights are whole numbers, so that their cumulative sum has the same bits on every device.
    """
    largest_R1 = closest_RN.amax(dim=1, keepdim=True).clamp_min(torch.finfo(closest_RN.dtype).tiny)
    cumulative_RN = (closest_RN / largest_R1 * _RESOLUTION).long().cumsum(dim=1)
    total_R1 = cumulative_RN[:, -1:].contiguous()
    threshold_RA = (draws_RA * total_R1).ceil().long().clamp_min(1)
    return torch.where(total_R1 > 0, torch.searchsorted(cumulative_RN, threshold_RA), 0)


def _best_candidate(
    closest_RN: Tensor, points_ND: Tensor, squares_N: Tensor, index_RA: Tensor
) -> tuple[Tensor, Tensor]:
    """Return (R,) the best candidate and (R, N) squared distances to the nearest centre with it."""
    index_B = index_RA.flatten()
    products_BN = points_ND[index_B] @ points_ND.T
    distances_BN = squares_N[index_B].unsqueeze(1) - 2.0 * products_BN + squares_N
    distances_BN.clamp_min_(0.0).scatter_(1, index_B.unsqueeze(1), 0.0)
    nearer_RAN = torch.minimum(
        closest_RN.unsqueeze(1), distances_BN.view(*index_RA.shape, len(points_ND))
    )
    best_R1 = nearer_RAN.sum(2, dtype=torch.float64).argmin(1, keepdim=True)
    nearer_RN = nearer_RAN.take_along_dim(best_R1.unsqueeze(2), dim=1).squeeze(1)
    return index_RA.gather(1, best_R1).squeeze(1), nearer_RN
