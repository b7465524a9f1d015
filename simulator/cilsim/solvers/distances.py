"""Nearest centres by matrix products, for many sets of centres at once, in bounded memory.

Axis letters: N points, B points of a slice, D features, R restarts, K clusters.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.solvers.point_rows import PointRows


def nearest_centres(
    points_ND: Tensor, centres_KD: Tensor, *, max_bytes: int | None = None
) -> Tensor:
    """Return (N,) the index of the nearest centre of each point, the lowest one on ties.

    Args:
        points_ND: (N, D) points.
        centres_KD: (K, D) centres.
        max_bytes: bound on the largest intermediate tensor; by default the device's.
    """
    shift_D = centres_KD.mean(0)
    points = PointRows(points_ND, shift_D, max_bytes)
    return nearest(points, (centres_KD - shift_D).unsqueeze(0))[0].squeeze(1)


def nearest(points: PointRows, centres_RKD: Tensor) -> tuple[Tensor, Tensor]:
    """Return (N, R) the nearest centre of each restart and (N, R) the squared distance to it.

    |x - c|^2 = |x|^2 - 2 x.c + |c|^2, so the points should lie around the origin; what rounding
    makes negative is 0.

    Args:
        points: (N, D).
        centres_RKD: (R, K, D) centres.
    """
    restarts, clusters, _ = centres_RKD.shape
    flat_MD = centres_RKD.flatten(0, 1)
    offsets_M = flat_MD.square().sum(1)
    labels_NR = torch.empty((len(points), restarts), dtype=torch.int64, device=points.device)
    distances_NR = torch.empty((len(points), restarts), dtype=points.dtype, device=points.device)
    for part in points.slices(restarts * clusters * points.dtype.itemsize):
        products_BM = torch.addmm(offsets_M, points.part(part), flat_MD.T, alpha=-2.0)
        smallest = products_BM.view(-1, restarts, clusters).min(dim=2)
        labels_NR[part] = smallest.indices
        distances_NR[part] = (smallest.values + points.squares[part, None]).clamp_min(0.0)
    return labels_NR, distances_NR


def cluster_sums(
    points: PointRows | Tensor, labels_NR: Tensor, clusters: int
) -> tuple[Tensor, Tensor]:
    """Return (R, K, D) the sums of the points of each cluster and (R, K) their int64 numbers.

    The same bits on every run: on the CPU rows are added in order; elsewhere, where adding rows
    would need atomics, a product with one-hot rows does it.

    Args:
        points: (N, D).
        labels_NR: (N, R) the cluster of each point in each restart.
        clusters: K.
    """
    rows = points if isinstance(points, PointRows) else PointRows(points)
    restarts = labels_NR.shape[1]
    offsets_R = clusters * torch.arange(restarts, device=labels_NR.device)
    counts_M = torch.zeros(restarts * clusters, dtype=torch.int64, device=labels_NR.device)
    sums_MD = torch.zeros(restarts * clusters, rows.size, dtype=rows.dtype, device=rows.device)
    in_order = rows.device.type == "cpu"
    for part in rows.slices(8 * restarts if in_order else len(sums_MD) * rows.dtype.itemsize):
        cells_BR = labels_NR[part] + offsets_R
        cells = cells_BR.flatten()
        counts_M.index_add_(0, cells, torch.ones_like(cells))
        if in_order:
            _add_rows(sums_MD, rows.part(part), cells_BR)
        else:
            _add_by_products(sums_MD, rows.part(part), cells_BR)
    return sums_MD.view(restarts, clusters, rows.size), counts_M.view(restarts, clusters)


def _add_rows(sums_MD: Tensor, points_BD: Tensor, cells_BR: Tensor) -> None:
    """Add each point to the sum of its cell in every restart, one after another."""
    for cells_B in cells_BR.T.contiguous():
        sums_MD.index_add_(0, cells_B, points_BD)


def _add_by_products(sums_MD: Tensor, points_BD: Tensor, cells_BR: Tensor) -> None:
    """Add the points to the sums of their cells by a matrix product."""
    member_BM = torch.zeros(
        len(points_BD), len(sums_MD), dtype=sums_MD.dtype, device=sums_MD.device
    )
    member_BM.scatter_(1, cells_BR, 1.0)
    sums_MD.addmm_(member_BM.T, points_BD)
