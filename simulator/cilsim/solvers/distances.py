"""Nearest centres by matrix products, for many sets of centres at once, in bounded memory.

Axis letters: N points, D features, R restarts, K clusters.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

MAX_ELEMENTS = 2**25
"""Largest intermediate tensor, in elements: 128 MiB of float32."""


def nearest_centres(points_ND: Tensor, centres_KD: Tensor) -> Tensor:
    """Return (N,) the index of the nearest centre of each point, the lowest one on ties.

    Args:
        points_ND: (N, D) points.
        centres_KD: (K, D) centres.
    """
    shift_D = centres_KD.mean(0)
    moved_ND = points_ND - shift_D
    squares_N = moved_ND.square().sum(1)
    return nearest(moved_ND, squares_N, (centres_KD - shift_D).unsqueeze(0))[0].squeeze(1)


def nearest(points_ND: Tensor, squares_N: Tensor, centres_RKD: Tensor) -> tuple[Tensor, Tensor]:
    """Return (N, R) the nearest centre of each restart and (N, R) the squared distance to it.

    |x - c|^2 = |x|^2 - 2 x.c + |c|^2, so the points should lie around the origin; what rounding
    makes negative is 0.

    Args:
        points_ND: (N, D) points.
        squares_N: (N,) their squared norms.
        centres_RKD: (R, K, D) centres.
    """
    restarts, clusters, _ = centres_RKD.shape
    flat_MD = centres_RKD.flatten(0, 1)
    offsets_M = flat_MD.square().sum(1)
    labels_NR = points_ND.new_empty((len(points_ND), restarts), dtype=torch.int64)
    distances_NR = points_ND.new_empty((len(points_ND), restarts))
    for part in chunks(len(points_ND), restarts * clusters):
        products_BM = torch.addmm(offsets_M, points_ND[part], flat_MD.T, alpha=-2.0)
        smallest = products_BM.view(-1, restarts, clusters).min(dim=2)
        labels_NR[part] = smallest.indices
        distances_NR[part] = (smallest.values + squares_N[part, None]).clamp_min(0.0)
    return labels_NR, distances_NR


def cluster_sums(points_ND: Tensor, labels_NR: Tensor, clusters: int) -> tuple[Tensor, Tensor]:
    """Return (R, K, D) the sums of the points of each cluster and (R, K) their int64 numbers.

    The same bits on every run: on the CPU rows are added in order; elsewhere, where adding rows
    would need atomics, a product with one-hot rows does it.

    Args:
        points_ND: (N, D) points.
        labels_NR: (N, R) the cluster of each point in each restart.
        clusters: K.
    """
    restarts = labels_NR.shape[1]
    cells_NR = labels_NR + clusters * torch.arange(restarts, device=labels_NR.device)
    counts_M = torch.zeros(restarts * clusters, dtype=torch.int64, device=labels_NR.device)
    counts_M.index_add_(0, cells_NR.flatten(), torch.ones_like(cells_NR).flatten())
    sums_MD = points_ND.new_zeros(restarts * clusters, points_ND.shape[1])
    if points_ND.device.type == "cpu":
        for restart in range(restarts):
            sums_MD.index_add_(0, cells_NR[:, restart], points_ND)
    else:
        _add_by_products(sums_MD, points_ND, labels_NR, clusters)
    size = points_ND.shape[1]
    return sums_MD.view(restarts, clusters, size), counts_M.view(restarts, clusters)


def _add_by_products(sums_MD: Tensor, points_ND: Tensor, labels_NR: Tensor, clusters: int) -> None:
    """Add the points to their clusters' sums by matrix products."""
    cluster_K = torch.arange(clusters, device=labels_NR.device)
    for part in chunks(len(points_ND), len(sums_MD)):
        member_BRK = labels_NR[part].unsqueeze(2) == cluster_K
        sums_MD.addmm_(member_BRK.flatten(1).to(points_ND.dtype).T, points_ND[part])


def chunks(rows: int, columns: int) -> Iterator[slice]:
    """Yield slices over `rows` such that rows of a slice times `columns` stay in the bound."""
    step = max(1, MAX_ELEMENTS // max(1, columns))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))
