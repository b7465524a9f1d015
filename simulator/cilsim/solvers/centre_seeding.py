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
    excess_RN = pinned_CD.new_full((restarts, len(points)), torch.inf)
    if pinned and free:
        excess_RN[:] = nearest(points, pinned_CD.unsqueeze(0))[1] - points.squares
    for column in range(free):
        if pinned + column == 0:
            index_RA = (draws_RMA[:, 0, :1] * len(points)).long()
        else:
            index_RA = _candidates(excess_RN + points.squares, draws_RMA[:, column])
        chosen_R, excess_RN = _best_candidate(excess_RN, points, index_RA)
        centres_RKD[:, pinned + column] = points.at(chosen_R)
    return centres_RKD


def _candidates(closest_RN: Tensor, draws_RA: Tensor) -> Tensor:
    """Return (R, A) points per restart, by the inverse of the cumulative squared distances.

    Weights are whole numbers, so that their cumulative sum has the same bits on every device.
    """
    largest_R1 = closest_RN.amax(dim=1, keepdim=True).clamp_min(torch.finfo(closest_RN.dtype).tiny)
    weights_RN = closest_RN.clamp_min_(0.0).div_(largest_R1).mul_(_RESOLUTION)
    cumulative_RN = weights_RN.long().cumsum(dim=1)
    threshold_RA = (draws_RA * cumulative_RN[:, -1:]).ceil_().long().clamp_min_(1)
    found_RA = torch.searchsorted(cumulative_RN, threshold_RA)
    return found_RA.remainder_(cumulative_RN.shape[1])  # N where all weights are 0


def _best_candidate(
    excess_RN: Tensor, points: PointRows, index_RA: Tensor
) -> tuple[Tensor, Tensor]:
    """Return (R,) the best candidate and (R, N) the excess with it.

    Excess is what the squared distance to the nearest centre has above the point's own squared
    norm: comparing |c|^2 - 2 x.c instead of distances saves passes over all of them, and their
    sums differ by the same number.
    """
    nearer_RAN = _with_candidates(excess_RN, points, index_RA)
    if index_RA.shape[1] == 1:
        chosen_R, nearer_RN = index_RA[:, 0], nearer_RAN[:, 0]
    else:
        best_R = nearer_RAN.sum(2).argmin(1)
        place_R = torch.arange(len(best_R), device=best_R.device)
        chosen_R, nearer_RN = index_RA[place_R, best_R], nearer_RAN[place_R, best_R]
    own_R = -points.squares[chosen_R]  # at distance 0, whatever rounding says
    return chosen_R, nearer_RN.scatter_(1, chosen_R.unsqueeze(1), own_R.unsqueeze(1))


def _with_candidates(excess_RN: Tensor, points: PointRows, index_RA: Tensor) -> Tensor:
    """Return (R, A, N) the excess with each candidate as a further centre."""
    index_B = index_RA.flatten()
    candidates_BD, squares_B1 = points.at(index_B), points.squares[index_B].unsqueeze(1)
    nearer_RAN = excess_RN.new_empty(*index_RA.shape, len(points))
    for part in points.slices(len(index_B) * points.dtype.itemsize):
        own_BS = torch.addmm(squares_B1, candidates_BD, points.part(part).T, alpha=-2.0)
        own_RAS, before_R1S = own_BS.view(*index_RA.shape, -1), excess_RN[:, None, part]
        torch.minimum(own_RAS, before_R1S, out=nearer_RAN[:, :, part])
    return nearer_RAN
