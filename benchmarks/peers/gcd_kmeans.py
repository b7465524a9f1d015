"""Semi-supervised k-means the way the released code of GCD does it (Vaze et al. 2022).

Written from its documented behaviour: distances are a broadcast N x K x D difference; k-means++
takes the distances to all centres again for every new one; restarts run one after the other; means
are a Python loop over clusters. Labelled samples of class j stay in cluster j; inertia is taken
before the update, and the best iteration of a restart is kept.

Axis letters: N free samples, L labelled ones, D features, K clusters, C labelled classes, R
restarts.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Clusters:
    """The best restart: (N,) clusters of the free samples, and its inertia."""

    labels: Tensor
    inertia: float


def pairwise_distances(rows_ND: Tensor, centres_KD: Tensor) -> Tensor:
    """Return (N, K) squared distances from the broadcast difference."""
    return (rows_ND.unsqueeze(1) - centres_KD.unsqueeze(0)).square().sum(2)


def first_centres(free_ND: Tensor, means_CD: Tensor, draws: Tensor) -> Tensor:
    """Return (K, D) the labelled means and one free sample per uniform draw."""
    centres_KD = means_CD
    for uniform in draws:
        nearest_N = pairwise_distances(free_ND, centres_KD).min(1).values
        shares_N = (nearest_N / nearest_N.sum()).cumsum(0)
        chosen = int((shares_N >= uniform).int().argmax())
        centres_KD = torch.cat([centres_KD, free_ND[chosen : chosen + 1]])
    return centres_KD


def one_restart(
    labelled_LD: Tensor,
    ids_L: Tensor,
    free_ND: Tensor,
    centres_KD: Tensor,
    max_iterations: int,
    tolerance: float,
) -> Clusters:
    """Return the iteration of smallest inertia."""
    best = Clusters(torch.empty(0), float("inf"))
    rows = torch.cat([labelled_LD, free_ND])
    for _ in range(max_iterations):
        nearest_N = pairwise_distances(free_ND, centres_KD).min(1)
        own_L = (labelled_LD - centres_KD[ids_L]).square().sum(1)
        inertia = float(nearest_N.values.sum() + own_L.sum())
        labels = torch.cat([ids_L, nearest_N.indices])
        before_KD = centres_KD
        centres_KD = torch.stack([rows[labels == k].mean(0) for k in range(len(centres_KD))])
        if inertia < best.inertia:
            best = Clusters(nearest_N.indices, inertia)
        shift = (centres_KD - before_KD).square().sum(1).sqrt().sum()
        if float(shift) ** 2 < tolerance:
            break
    return best


def cluster(
    labelled_LD: Tensor,
    ids_L: Tensor,
    free_ND: Tensor,
    draws_RM: Tensor,
    max_iterations: int,
    tolerance: float = 1e-4,
) -> Clusters:
    """Return the best of the restarts, the first on ties."""
    classes = int(ids_L.max()) + 1
    means_CD = torch.stack([labelled_LD[ids_L == label].mean(0) for label in range(classes)])
    best = Clusters(torch.empty(0), float("inf"))
    for draws in draws_RM:
        centres_KD = first_centres(free_ND, means_CD, draws.to(free_ND.device))
        found = one_restart(labelled_LD, ids_L, free_ND, centres_KD, max_iterations, tolerance)
        best = found if found.inertia < best.inertia else best
    return best
