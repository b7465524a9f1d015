"""k-means++: first centres drawn far from each other, for all restarts at once.

Arthur and Vassilvitskii 2007. Axis letters: N points, D features, R restarts, K clusters, C pinned
clusters, M centres to draw, A candidates per draw.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.solvers.distances import nearest
from cilsim.solvers.point_rows import PointRows

_RESOLUTION = 2.0**31


def draw_centres(points: PointRows, pinned_CD: Tensor, draws_RMA: Tensor) -> Tensor:
    """Return (R, C + M, D) the pinned centres followed by M points per restart.

    Each further centre is a point drawn with probability proportional to its squared distance to
    the nearest centre so far: with u uniform, the first point whose cumulative share reaches u.
    Of A such candidates the one that leaves the smallest sum of those distances is taken, the
    first on ties (the greedy form of scikit-learn; A = 1 is the paper). Without pinned centres the
    first one is point floor(u N). If every point coincides with a centre, point 0 is taken.

    Args:
        points: (N, D).
        pinned_CD: (C, D) centres that exist already; C may be 0.
        draws_RMA: (R, M, A) float64 uniforms in [0, 1).
    """
    restarts, free, _ = draws_RMA.shape
    pinned = len(pinned_CD)
    centres_RKD = pinned_CD.new_empty(restarts, pinned + free, points.size)
    centres_RKD[:, :pinned] = pinned_CD
    closest_RN = pinned_CD.new_full((restarts, len(points)), torch.inf)
    if pinned and free:
        closest_RN[:] = nearest(points, pinned_CD.unsqueeze(0))[1].T
    for column in range(free):
        if pinned + column == 0:
            index_RA = (draws_RMA[:, 0, :1] * len(points)).long()
        else:
            index_RA = _candidates(closest_RN, draws_RMA[:, column])
        chosen_R, closest_RN = _best_candidate(closest_RN, points, index_RA)
        centres_RKD[:, pinned + column] = points.at(chosen_R)
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
    closest_RN: Tensor, points: PointRows, index_RA: Tensor
) -> tuple[Tensor, Tensor]:
    """Return (R,) the best candidate and (R, N) squared distances to the nearest centre with it."""
    index_B = index_RA.flatten()
    candidates_BD, squares_B1 = points.at(index_B), points.squares[index_B].unsqueeze(1)
    distances_BN = closest_RN.new_empty(len(index_B), len(points))
    for part in points.slices(0):
        products_BN = candidates_BD @ points.part(part).T
        distances_BN[:, part] = squares_B1 - 2.0 * products_BN + points.squares[part]
    distances_BN.clamp_min_(0.0).scatter_(1, index_B.unsqueeze(1), 0.0)
    distances_RAN = distances_BN.view(*index_RA.shape, len(points))
    nearer_RAN = torch.minimum(closest_RN.unsqueeze(1), distances_RAN)
    best_R1 = nearer_RAN.sum(2, dtype=torch.float64).argmin(1, keepdim=True)
    nearer_RN = nearer_RAN.take_along_dim(best_R1.unsqueeze(2), dim=1).squeeze(1)
    return index_RA.gather(1, best_R1).squeeze(1), nearer_RN
