"""All restarts of a k-means problem, as many at a time as memory allows.

Axis letters: N free points, L pinned points, D features, R restarts, K clusters, C pinned clusters,
M centres to draw, A candidates per draw.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.solvers.centre_seeding import draw_centres
from cilsim.solvers.distances import MAX_ELEMENTS, cluster_sums
from cilsim.solvers.lloyd import Points, Restarts, iterate


def gather_points(free_ND: Tensor, pinned_LD: Tensor, pinned_L: Tensor, classes: int) -> Points:
    """Return the problem; pinned points enter by their moments, summed in float64.

    Args:
        free_ND: (N, D) points that are free to move.
        pinned_LD: (L, D) points that are not.
        pinned_L: (L,) the cluster of each of those, each of 0..C-1 at least once.
        classes: C.
    """
    squares_L1 = pinned_LD.double().square().sum(1, keepdim=True)
    moments_LE = torch.cat([pinned_LD.double(), squares_L1], dim=1)
    sums_1CE, counts_1C = cluster_sums(moments_LE, pinned_L.unsqueeze(1), classes)
    return Points(
        free=free_ND,
        squares=free_ND.square().sum(1),
        pinned_sums=sums_1CE[0, :, :-1],
        pinned_counts=counts_1C[0],
        pinned_squares=sums_1CE[0, :, -1],
    )


def best_restart(
    points: Points, draws_RMA: Tensor, max_iterations: int, tolerance: float
) -> tuple[Restarts, Tensor]:
    """Return the restart of smallest inertia alone, the first on ties, and (R,) all inertias.

    Args:
        points: what is clustered.
        draws_RMA: (R, K - C, A) uniforms in [0, 1).
        max_iterations: most iterations of a restart.
        tolerance: bound on the squared total shift at which a restart stops.
    """
    pinned_CD = points.pinned_sums / points.pinned_counts.unsqueeze(1)
    pinned_CD = pinned_CD.to(points.free.dtype)
    _, free, candidates = draws_RMA.shape
    of_centres = (len(pinned_CD) + free) * points.free.shape[1]
    elements_of_one = max(candidates * len(points.free), of_centres)
    best: Restarts | None = None
    inertias = []
    for draws_GMA in torch.split(draws_RMA, max(1, MAX_ELEMENTS // elements_of_one)):
        centres_GKD = draw_centres(points.free, points.squares, pinned_CD, draws_GMA)
        found = iterate(points, centres_GKD, max_iterations, tolerance)
        inertias.append(found.inertia)
        candidate = found.best()
        if best is None or bool(candidate.inertia < best.inertia):
            best = candidate
    assert best is not None  # there is at least one restart
    return best, torch.cat(inertias)
