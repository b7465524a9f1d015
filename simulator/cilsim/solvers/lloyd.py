"""Lloyd's iterations for many restarts at once, with points that may be pinned to clusters.

Axis letters: N free points, D features, R restarts, K clusters, C pinned clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cilsim.solvers.distances import cluster_sums, nearest
from cilsim.solvers.point_rows import PointRows

_CHECK_EVERY = 4
"""Iterations between two looks at whether a restart still moves, each a wait for the device."""
_NEGLIGIBLE = 1e-6
"""Squared distances below this share of the largest squared norm are rounding."""


@dataclass(frozen=True)
class Points:
    """What is clustered: free points, and the moments of points pinned to clusters 0..C-1.

    Attributes:
        free: (N, D) points, moved so that they lie around the origin.
        pinned_sums: (C, D) float64 sums of the pinned points.
        pinned_counts: (C,) int64 numbers of pinned points, none of them 0.
        pinned_squares: (C,) float64 sums of their squared norms.
    """

    free: PointRows
    pinned_sums: Tensor
    pinned_counts: Tensor
    pinned_squares: Tensor

    def pinned_inertia(self, centres_RKD: Tensor) -> Tensor:
        """Return (R,) the sum of squared distances of pinned points to their own centres."""
        own_RCD = centres_RKD[:, : len(self.pinned_sums)].to(torch.float64)
        cross_RC = (own_RCD * self.pinned_sums).sum(2)
        norms_RC = own_RCD.square().sum(2) * self.pinned_counts
        return (self.pinned_squares - 2.0 * cross_RC + norms_RC).clamp_min(0.0).sum(1)


@dataclass(frozen=True)
class Restarts:
    """The best iteration of each restart.

    Attributes:
        labels: (N, R) clusters of the free points.
        centres: (R, K, D) centres after that iteration's update.
        inertia: (R,) float64 sum of squared distances before that update.
        iterations: (R,) int64 iterations until the restart stopped.
    """

    labels: Tensor
    centres: Tensor
    inertia: Tensor
    iterations: Tensor

    def best(self) -> Restarts:
        """Return the restart of smallest inertia alone, the first on ties."""
        only = self.inertia.argmin().unsqueeze(0)
        return Restarts(
            self.labels[:, only],
            self.centres[only],
            self.inertia[only],
            self.iterations[only],
        )


def iterate(points: Points, centres_RKD: Tensor, max_iterations: int, tolerance: float) -> Restarts:
    """Return the best iteration of each restart from the given first centres.

    One iteration: each free point goes to its nearest centre, the lowest-numbered on ties; the
    inertia is taken; each centre becomes the mean of its points. A restart stops when
    (sum over clusters of the centre's shift)^2 < tolerance (Vaze et al. 2022); its later
    iterations change nothing. An empty cluster takes the free point farthest from its own centre,
    one cluster per iteration and restart, and the restart goes on.
    """
    moving_R = torch.ones(len(centres_RKD), dtype=torch.bool, device=centres_RKD.device)
    iterations_R = torch.zeros_like(moving_R, dtype=torch.int64)
    best_R = torch.full_like(moving_R, torch.inf, dtype=torch.float64)
    best_labels_NR = torch.zeros(
        (len(points.free), len(centres_RKD)), dtype=torch.int64, device=centres_RKD.device
    )
    best_centres_RKD = centres_RKD
    for iteration in range(max_iterations):
        labels_NR, distances_NR = nearest(points.free, centres_RKD)
        inertia_R = distances_NR.sum(0, dtype=torch.float64) + points.pinned_inertia(centres_RKD)
        means_RKD, empty_RK = _means(points, labels_NR, centres_RKD)
        updated_RKD, refilled_R = _refill(points, distances_NR, means_RKD, empty_RK)
        better_R = moving_R & (inertia_R < best_R)
        best_R = torch.where(better_R, inertia_R, best_R)
        best_labels_NR = torch.where(better_R, labels_NR, best_labels_NR)
        best_centres_RKD = torch.where(better_R[:, None, None], updated_RKD, best_centres_RKD)
        iterations_R += moving_R
        moves_RK = torch.linalg.vector_norm(updated_RKD - centres_RKD, dim=2)
        shift_R = moves_RK.sum(1).square()
        centres_RKD = torch.where(moving_R[:, None, None], updated_RKD, centres_RKD)
        moving_R = moving_R & ((shift_R >= tolerance) | refilled_R)
        if iteration % _CHECK_EVERY == _CHECK_EVERY - 1 and not moving_R.any():
            break
    return Restarts(best_labels_NR, best_centres_RKD, best_R, iterations_R)


def _means(points: Points, labels_NR: Tensor, centres_RKD: Tensor) -> tuple[Tensor, Tensor]:
    """Return (R, K, D) the means of the clusters and (R, K) which are empty and keep theirs."""
    pinned = len(points.pinned_counts)
    sums_RKD, counts_RK = cluster_sums(points.free, labels_NR, centres_RKD.shape[1])
    sums_RKD[:, :pinned] += points.pinned_sums.to(sums_RKD.dtype)
    counts_RK[:, :pinned] += points.pinned_counts
    empty_RK = counts_RK == 0
    means_RKD = sums_RKD / counts_RK.clamp_min(1).unsqueeze(2)
    return torch.where(empty_RK.unsqueeze(2), centres_RKD, means_RKD), empty_RK


def _refill(
    points: Points, distances_NR: Tensor, means_RKD: Tensor, empty_RK: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the centres with the first empty cluster of each restart refilled, and where."""
    farthest = distances_NR.max(dim=0)
    refilled_R = empty_RK.any(1) & (farthest.values > _NEGLIGIBLE * points.free.squares.max())
    first_R = empty_RK.int().argmax(1)
    cluster_K = torch.arange(empty_RK.shape[1], device=empty_RK.device)
    target_RK = refilled_R.unsqueeze(1) & (cluster_K == first_R.unsqueeze(1))
    points_R1D = points.free.at(farthest.indices).unsqueeze(1)
    return torch.where(target_RK.unsqueeze(2), points_R1D, means_RKD), refilled_R
