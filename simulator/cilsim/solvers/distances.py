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
    return nearest(points, (centres_KD - shift_D).unsqueeze(0))[0].squeeze(0)


def nearest(points: PointRows, centres_RKD: Tensor) -> tuple[Tensor, Tensor]:
    """Return (R, N) the nearest centre of each restart and (R, N) the squared distance to it.

    |x - c|^2 = |x|^2 - 2 x.c + |c|^2, so the points should lie around the origin; what rounding
    makes negative is 0.

    Args:
        points: (N, D).
        centres_RKD: (R, K, D) centres.
    """
    restarts, clusters, _ = centres_RKD.shape
    flat_MD = centres_RKD.flatten(0, 1)
    offsets_M1 = flat_MD.square().sum(1, keepdim=True)
    labels_RN = torch.empty((restarts, len(points)), dtype=torch.int64, device=points.device)
    distances_RN = torch.empty((restarts, len(points)), dtype=points.dtype, device=points.device)
    for part in points.slices(len(flat_MD) * points.dtype.itemsize):
        products_MB = torch.addmm(offsets_M1, flat_MD, points.part(part).T, alpha=-2.0)
        smallest_RB, labels_RN[:, part] = _least(products_MB.view(restarts, clusters, -1))
        distances_RN[:, part] = smallest_RB.add_(points.squares[part]).clamp_min_(0.0)
    return labels_RN, distances_RN


def _least(values_RKB: Tensor) -> tuple[Tensor, Tensor]:
    """Return (R, B) the smallest of K values and (R, B) the lowest place of it; values are lost.

    On a CPU `min` looks at one number at a time; finding the smallest, and then where it is by
    a second look, is three to six times as fast.
    """
    if values_RKB.device.type != "cpu":
        found = values_RKB.min(dim=1)
        return found.values, found.indices
    count = values_RKB.shape[1]
    smallest_RB = values_RKB.amin(1)
    ranks_K1 = torch.arange(count, 0, -1, dtype=values_RKB.dtype).unsqueeze(1)
    highest_RB = values_RKB.le_(smallest_RB.unsqueeze(1)).mul_(ranks_K1).amax(1)
    return smallest_RB, count - highest_RB.clamp_min_(1.0).long()  # 0 where a value is NaN


def cluster_sums(
    points: PointRows | Tensor, labels_RN: Tensor, clusters: int
) -> tuple[Tensor, Tensor]:
    """Return (R, K, D) the sums of the points of each cluster and (R, K) their int64 numbers.

    The same bits on every run: on the CPU rows are added in order; elsewhere, where adding rows
    would need atomics, a product with one-hot rows does it.

    Args:
        points: (N, D).
        labels_RN: (R, N) the cluster of each point in each restart.
        clusters: K.
    """
    rows = points if isinstance(points, PointRows) else PointRows(points)
    restarts = len(labels_RN)
    offsets_R1 = clusters * torch.arange(restarts, device=labels_RN.device).unsqueeze(1)
    counts_M = torch.zeros(restarts * clusters, dtype=torch.int64, device=labels_RN.device)
    sums_MD = torch.zeros(restarts * clusters, rows.size, dtype=rows.dtype, device=rows.device)
    in_order = rows.device.type == "cpu"
    for part in rows.slices(8 * restarts if in_order else len(sums_MD) * rows.dtype.itemsize):
        cells_RB = labels_RN[:, part] + offsets_R1
        cells = cells_RB.flatten()
        counts_M.index_add_(0, cells, torch.ones_like(cells))
        if in_order:
            _add_rows(sums_MD, rows.part(part), cells_RB)
        else:
            _add_by_products(sums_MD, rows.part(part), cells_RB)
    return sums_MD.view(restarts, clusters, rows.size), counts_M.view(restarts, clusters)


def _add_rows(sums_MD: Tensor, points_BD: Tensor, cells_RB: Tensor) -> None:
    """Add each point to the sum of its cell in every restart, one after another."""
    for cells_B in cells_RB:
        sums_MD.index_add_(0, cells_B, points_BD)


def _add_by_products(sums_MD: Tensor, points_BD: Tensor, cells_RB: Tensor) -> None:
    """Add the points to the sums of their cells by a matrix product."""
    member_MB = torch.zeros(
        len(sums_MD), len(points_BD), dtype=sums_MD.dtype, device=sums_MD.device
    )
    member_MB.scatter_(0, cells_RB, 1.0)
    sums_MD.addmm_(member_MB, points_BD)
