"""All restarts of a k-means problem, as many at a time as memory allows.

Axis letters: N free points, L pinned points, D features, R restarts, K clusters, C pinned clusters,
M centres to draw, A candidates per draw.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.solvers.centre_seeding import draw_centres
from cilsim.solvers.chunking import chunks
from cilsim.solvers.distances import cluster_sums
from cilsim.solvers.lloyd import Points, Restarts, iterate
from cilsim.solvers.point_rows import PointRows


def gather_points(free: PointRows, pinned: PointRows, pinned_L: Tensor, classes: int) -> Points:
    """Return the problem; pinned points enter by their moments, summed in float64.

    Args:
        free: (N, D) points that are free to move.
        pinned: (L, D) points that are not.
        pinned_L: (L,) the cluster of each of those, each of 0..C-1 at least once.
        classes: C.
    """
    moments_CE = torch.zeros(classes, free.size + 1, dtype=torch.float64, device=free.device)
    counts_C = torch.zeros(classes, dtype=torch.int64, device=free.device)
    for part in pinned.slices(8 * (free.size + 1)):
        points_BD = pinned.part(part).double()
        moments_BE = torch.cat([points_BD, points_BD.square().sum(1, keepdim=True)], dim=1)
        sums_1CE, counts_1C = cluster_sums(moments_BE, pinned_L[part].unsqueeze(0), classes)
        moments_CE += sums_1CE[0]
        counts_C += counts_1C[0]
    return Points(free, moments_CE[:, :-1], counts_C, moments_CE[:, -1])


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
    of_one = _bytes_of_one(points, draws_RMA.shape[1], draws_RMA.shape[2])
    best: Restarts | None = None
    inertias = []
    for group in chunks(len(draws_RMA), of_one, points.free.max_bytes):
        centres_GKD = draw_centres(points.free, pinned_CD, draws_RMA[group])
        found = iterate(points, centres_GKD, max_iterations, tolerance)
        inertias.append(found.inertia)
        candidate = found.best()
        if best is None or bool(candidate.inertia < best.inertia):
            best = candidate
    assert best is not None  # there is at least one restart
    return best, torch.cat(inertias)


def _bytes_of_one(points: Points, drawn: int, candidates: int) -> int:
    """Return the bytes of the largest tensor that holds one restart, without distances."""
    of_points = max(8, candidates * points.free.dtype.itemsize) * len(points.free)
    of_centres = 8 * (len(points.pinned_counts) + drawn) * points.free.size
    return max(of_points, of_centres)
