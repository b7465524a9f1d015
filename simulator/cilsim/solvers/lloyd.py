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
"""Iterations between two looks at which restarts still move, where a look waits for the device."""
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
        weighted_RCD = torch.addcmul(
            -2.0 * self.pinned_sums, own_RCD, self.pinned_counts.unsqueeze(1)
        )
        apart_RC = weighted_RCD.mul_(own_RCD).sum(2).add_(self.pinned_squares)
        return apart_RC.clamp_min_(0.0).sum(1)


@dataclass(frozen=True)
class Restarts:
    """The best iteration of each restart.

    Attributes:
        labels: (R, N) clusters of the free points.
        centres: (R, K, D) centres after that iteration's update.
        inertia: (R,) float64 sum of squared distances before that update.
        iterations: (R,) int64 iterations until the restart stopped.
    """

    labels: Tensor
    centres: Tensor
    inertia: Tensor
    iterations: Tensor

    def at(self, index: Tensor) -> Restarts:
        """Return some of the restarts, in the order of the index."""
        return Restarts(
            self.labels[index], self.centres[index], self.inertia[index], self.iterations[index]
        )

    def improved(self, found: Restarts, better_R: Tensor) -> Restarts:
        """Return `found` where it is better, and its iterations everywhere."""
        if not _waits(better_R.device) and better_R.all():
            return found
        return Restarts(
            torch.where(better_R[:, None], found.labels, self.labels),
            torch.where(better_R[:, None, None], found.centres, self.centres),
            torch.where(better_R, found.inertia, self.inertia),
            found.iterations,
        )

    def best(self) -> Restarts:
        """Return the restart of smallest inertia alone, the first on ties."""
        return self.at(self.inertia.argmin().unsqueeze(0))


def iterate(points: Points, centres_RKD: Tensor, max_iterations: int, tolerance: float) -> Restarts:
    """Return the best iteration of each restart from the given first centres.

    One iteration: each free point goes to its nearest centre, the lowest-numbered on ties; the
    inertia is taken; each centre becomes the mean of its points. A restart stops when
    (sum over clusters of the centre's shift)^2 < tolerance (Vaze et al. 2022). An empty cluster
    takes the free point farthest from its own centre, one cluster per iteration and restart, and
    the restart goes on.
    """
    moving = _Moving(points, centres_RKD, tolerance)
    every = _CHECK_EVERY if _waits(points.free.device) else 1
    stopped = []
    for iteration in range(max_iterations):
        moving.step()
        if iteration % every == every - 1:
            stopped += moving.leave()
            if not len(moving.places_R):
                break
    stopped.append((moving.places_R, moving.best))
    order_R = torch.cat([places_R for places_R, _ in stopped]).argsort()
    return Restarts(
        torch.cat([found.labels for _, found in stopped])[order_R],
        torch.cat([found.centres for _, found in stopped])[order_R],
        torch.cat([found.inertia for _, found in stopped])[order_R],
        torch.cat([found.iterations for _, found in stopped])[order_R],
    )


def _waits(device: torch.device) -> bool:
    """Return whether a look at a result makes the host wait."""
    return device.type != "cpu"


class _Moving:
    """The restarts that are still looked after.

    Attributes:
        places_R: (R,) their places among all restarts.
        best: the best iteration of each so far.
    """

    def __init__(self, points: Points, centres_RKD: Tensor, tolerance: float) -> None:
        restarts, device = len(centres_RKD), centres_RKD.device
        self._points, self._tolerance = points, tolerance
        self._centres_RKD = centres_RKD
        self._moves_R = torch.ones(restarts, dtype=torch.bool, device=device)
        self.places_R = torch.arange(restarts, device=device)
        self.best = Restarts(
            torch.zeros((restarts, len(points.free)), dtype=torch.int64, device=device),
            centres_RKD,
            torch.full((restarts,), torch.inf, dtype=torch.float64, device=device),
            torch.zeros_like(self.places_R),
        )

    def step(self) -> None:
        """Do one iteration, which changes nothing about a restart that does not move any more."""
        points, centres_RKD, moves_R = self._points, self._centres_RKD, self._moves_R
        labels_RN, distances_RN = nearest(points.free, centres_RKD)
        inertia_R = distances_RN.sum(1, dtype=torch.float64) + points.pinned_inertia(centres_RKD)
        means_RKD, empty_RK = _means(points, labels_RN, centres_RKD)
        updated_RKD, refilled_R = _refill(points, distances_RN, means_RKD, empty_RK)
        found = Restarts(labels_RN, updated_RKD, inertia_R, self.best.iterations + moves_R)
        self.best = self.best.improved(found, moves_R & (inertia_R < self.best.inertia))
        shift_R = torch.linalg.vector_norm(updated_RKD - centres_RKD, dim=2).sum(1).square_()
        self._centres_RKD = torch.where(moves_R[:, None, None], updated_RKD, centres_RKD)
        self._moves_R = moves_R & ((shift_R >= self._tolerance) | refilled_R)

    def leave(self) -> list[tuple[Tensor, Restarts]]:
        """Return places and best iterations of those that have stopped, and forget them."""
        stay = self._moves_R.nonzero().squeeze(1)
        if len(stay) == len(self._moves_R):
            return []
        gone = (~self._moves_R).nonzero().squeeze(1)
        left = self.places_R[gone], self.best.at(gone)
        self.places_R, self.best = self.places_R[stay], self.best.at(stay)
        self._centres_RKD, self._moves_R = self._centres_RKD[stay], self._moves_R[stay]
        return [left]


def _means(points: Points, labels_RN: Tensor, centres_RKD: Tensor) -> tuple[Tensor, Tensor]:
    """Return (R, K, D) the means of the clusters and (R, K) which are empty and keep theirs."""
    pinned = len(points.pinned_counts)
    sums_RKD, counts_RK = cluster_sums(points.free, labels_RN, centres_RKD.shape[1])
    sums_RKD[:, :pinned] += points.pinned_sums.to(sums_RKD.dtype)
    counts_RK[:, :pinned] += points.pinned_counts
    empty_RK = counts_RK == 0
    means_RKD = sums_RKD.div_(counts_RK.clamp_min(1).unsqueeze(2))
    return torch.where(empty_RK.unsqueeze(2), centres_RKD, means_RKD), empty_RK


def _refill(
    points: Points, distances_RN: Tensor, means_RKD: Tensor, empty_RK: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the centres with the first empty cluster of each restart refilled, and where."""
    refilled_R = empty_RK.any(1)
    if not (_waits(refilled_R.device) or refilled_R.any()):
        return means_RKD, refilled_R
    farthest = distances_RN.max(dim=1)
    refilled_R &= farthest.values > _NEGLIGIBLE * points.free.squares.max()
    first_R = empty_RK.int().argmax(1)
    cluster_K = torch.arange(empty_RK.shape[1], device=empty_RK.device)
    target_RK = refilled_R.unsqueeze(1) & (cluster_K == first_R.unsqueeze(1))
    points_R1D = points.free.at(farthest.indices).unsqueeze(1)
    return torch.where(target_RK.unsqueeze(2), points_R1D, means_RKD), refilled_R
