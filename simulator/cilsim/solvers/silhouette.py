"""The silhouette of a clustering, in bounded memory.

Axis letters: N points, B points of a chunk, D features, K clusters.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.solvers.chunking import bound_for, chunks
from cilsim.solvers.point_rows import column_means


def silhouette(points_ND: Tensor, labels_N: Tensor, *, max_bytes: int | None = None) -> float:
    """Return the mean over points of (b - a) / max(a, b), in [-1, 1].

    Rousseeuw 1987: a is the mean Euclidean distance to the other points of the own cluster, b the
    smallest mean distance to the points of another one. A point alone in its cluster counts 0,
    and so do points that coincide with all others. Costs N^2 distances.

    Args:
        points_ND: (N, D) points.
        labels_N: (N,) their clusters, any integers.
        max_bytes: bound on the largest intermediate tensor; by default the device's.

    Raises:
        ValueError: there are fewer than two clusters.
    """
    found_K, own_N = torch.unique(labels_N, return_inverse=True)
    if len(found_K) < 2:
        raise ValueError(f"{len(found_K)} clusters; a silhouette needs at least 2")
    bound, clusters = bound_for(max_bytes, points_ND.device), len(found_K)
    dtype = torch.promote_types(points_ND.dtype, torch.float32)
    centred_ND = points_ND.to(dtype) - column_means(points_ND, bound).to(dtype)
    sizes_K = torch.bincount(own_N, minlength=clusters).to(dtype)
    total = centred_ND.new_zeros((), dtype=torch.float64)
    for part in chunks(len(centred_ND), dtype.itemsize * len(centred_ND), bound):
        distances_BN = torch.cdist(centred_ND[part], centred_ND)
        rows_B = torch.arange(part.start, part.stop, device=distances_BN.device)
        distances_BN.scatter_(1, rows_B.unsqueeze(1), 0.0)  # rounding: a point is at itself
        sums_BK = _cluster_sums(distances_BN, own_N, clusters, bound)
        total += _widths(sums_BK, own_N[part], sizes_K).sum(dtype=torch.float64)
    return float(total) / len(points_ND)


def _cluster_sums(distances_BN: Tensor, own_N: Tensor, clusters: int, max_bytes: int) -> Tensor:
    """Return (B, K) the summed distances to the points of each cluster, by products."""
    cluster_K = torch.arange(clusters, device=own_N.device)
    sums = []
    for part in chunks(clusters, distances_BN.itemsize * len(own_N), max_bytes):
        member_NK = (own_N.unsqueeze(1) == cluster_K[part]).to(distances_BN.dtype)
        sums.append(distances_BN @ member_NK)
    return torch.cat(sums, dim=1)


def _widths(sums_BK: Tensor, own_B: Tensor, sizes_K: Tensor) -> Tensor:
    """Return (B,) the silhouette of each point from its summed distances to each cluster."""
    own_B1 = own_B.unsqueeze(1)
    others_B1 = sizes_K[own_B1] - 1
    inside_B1 = sums_BK.gather(1, own_B1) / others_B1.clamp_min(1)
    means_BK = (sums_BK / sizes_K).scatter(1, own_B1, torch.inf)
    outside_B1 = means_BK.min(1, keepdim=True).values
    larger_B1 = torch.maximum(inside_B1, outside_B1)
    defined_B1 = (others_B1 > 0) & (larger_B1 > 0)
    widths_B1 = (outside_B1 - inside_B1) / torch.where(defined_B1, larger_B1, 1.0)
    return torch.where(defined_B1, widths_B1, 0.0).squeeze(1)
