"""k-means++: first centres drawn far from each other, for all restarts at once.

Arthur and Vassilvitskii 2007, one candidate per draw as in the paper (scikit-learn tries several).
Axis letters: N points, D features, R restarts, K clusters, C pinned clusters.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.solvers.distances import nearest

_RESOLUTION = 2.0**31


def draw_centres(
    points_ND: Tensor, squares_N: Tensor, pinned_CD: Tensor, draws_RM: Tensor
) -> Tensor:
    """Return (R, C + M, D) the pinned centres followed by M points per restart.

    Each further centre is a point drawn with probability proportional to its squared distance to
    the nearest centre so far: with u uniform, the first point whose cumulative share reaches u
    (Vaze et al. 2022 draw the novel classes of semi-supervised k-means so, from unlabelled points
    only). Without pinned centres the first is point floor(u N). If every point coincides with a
    centre, the first point is taken again.

    Args:
        points_ND: (N, D) points.
        squares_N: (N,) their squared norms.
        pinned_CD: (C, D) centres that exist already; C may be 0.
        draws_RM: (R, M) float64 uniforms in [0, 1), one per centre to draw.
    """
    restarts, free = draws_RM.shape
    pinned = len(pinned_CD)
    centres_RKD = points_ND.new_empty(restarts, pinned + free, points_ND.shape[1])
    centres_RKD[:, :pinned] = pinned_CD
    closest_RN = points_ND.new_full((restarts, len(points_ND)), torch.inf)
    if pinned and free:
        closest_RN[:] = nearest(points_ND, squares_N, pinned_CD.unsqueeze(0))[1].T
    for column in range(free):
        if pinned + column == 0:
            chosen_R = (draws_RM[:, 0] * len(points_ND)).long().clamp_max(len(points_ND) - 1)
        else:
            chosen_R = _choose(closest_RN, draws_RM[:, column])
        centres_RKD[:, pinned + column] = points_ND[chosen_R]
        _move_closer(closest_RN, points_ND, squares_N, chosen_R)
    return centres_RKD


def _choose(closest_RN: Tensor, draws_R: Tensor) -> Tensor:
    """Return (R,) an index per restart, by the inverse of the cumulative weights.

    Weights are whole numbers, so that their cumulative sum has the same bits on every device.
    """
    largest_R1 = closest_RN.amax(dim=1, keepdim=True).clamp_min(torch.finfo(closest_RN.dtype).tiny)
    cumulative_RN = (closest_RN / largest_R1 * _RESOLUTION).long().cumsum(dim=1)
    total_R = cumulative_RN[:, -1]
    threshold_R = (draws_R * total_R).ceil().long().clamp_min(1)
    index_R = torch.searchsorted(cumulative_RN, threshold_R.unsqueeze(1)).squeeze(1)
    return torch.where(total_R > 0, index_R, 0)


def _move_closer(
    closest_RN: Tensor, points_ND: Tensor, squares_N: Tensor, chosen_R: Tensor
) -> None:
    """Lower each point's smallest squared distance, in place, by the centre chosen last."""
    products_RN = points_ND[chosen_R] @ points_ND.T
    distances_RN = squares_N[chosen_R].unsqueeze(1) - 2.0 * products_RN + squares_N
    distances_RN.clamp_min_(0.0).scatter_(1, chosen_R.unsqueeze(1), 0.0)
    torch.minimum(closest_RN, distances_RN, out=closest_RN)
