"""Covariance matrices of all samples and of classes, in float64 and bounded memory.

Axis letters: N samples, D features, K classes, M samples of the largest class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from cilsim.solvers.chunking import bound_for, chunks
from cilsim.solvers.gram import add_gram
from cilsim.solvers.point_rows import Embed, column_means


def covariance(
    features_ND: Tensor, *, embed: Embed | None = None, max_bytes: int | None = None
) -> Tensor:
    """Return the (D, D) covariance of all samples with divisor N - 1.

    Args:
        features_ND: (N, D) features.
        embed: applied to a slice of features at a time; by default nothing is.
        max_bytes: bound on the largest intermediate tensor; by default the device's.

    Raises:
        ValueError: there are fewer than two samples.
    """
    if len(features_ND) < 2:
        found = "1 sample" if len(features_ND) else "no sample"
        raise ValueError(f"{found}; a covariance needs at least 2")
    bound, size = bound_for(max_bytes, features_ND.device), features_ND.shape[1]
    mean_D = column_means(features_ND, bound, embed)
    sum_DD = torch.zeros(size, size, dtype=torch.float64, device=features_ND.device)
    for part in chunks(len(features_ND), 8 * size, bound):
        centred_BD = _embedded(features_ND[part], embed).double() - mean_D
        add_gram(sum_DD, centred_BD)
    return sum_DD / (len(features_ND) - 1)


def class_covariances(
    features_ND: Tensor,
    labels_N: Tensor,
    classes: Sequence[int],
    *,
    embed: Embed | None = None,
    max_bytes: int | None = None,
) -> Iterator[Tensor]:
    """Yield the covariances of the classes, divisor n - 1, as (k, D, D) for the next k classes.

    Several classes go through one batched product; a class too large for the bound goes alone, a
    slice of its samples at a time.

    Args:
        features_ND: (N, D) features.
        labels_N: (N,) integer labels; samples of other classes are ignored.
        classes: the labels wanted.
        embed: as in `covariance`.
        max_bytes: bound on the largest intermediate tensor; by default the device's.

    Raises:
        ValueError: a class has fewer than two samples.
    """
    wanted_K = torch.tensor(list(classes), device=labels_N.device)
    order_N = labels_N.argsort(stable=True)
    sorted_N = labels_N[order_N].contiguous()
    starts_K = torch.searchsorted(sorted_N, wanted_K)
    counts_K = torch.searchsorted(sorted_N, wanted_K, right=True) - starts_K
    sizes = counts_K.tolist()
    _check_counts(classes, sizes)
    bound, size = bound_for(max_bytes, features_ND.device), features_ND.shape[1]
    for part in chunks(len(classes), 8 * size * max([size, *sizes]), bound):
        if 8 * size * sizes[part.start] > bound:
            start = int(starts_K[part.start])
            own_M = order_N[start : start + sizes[part.start]]
            yield _covariance_of(features_ND, own_M, bound, embed).unsqueeze(0)
        else:
            yield _padded_covariances(features_ND, order_N, starts_K[part], counts_K[part], embed)


def _padded_covariances(
    features_ND: Tensor,
    order_N: Tensor,
    starts_K: Tensor,
    counts_K: Tensor,
    embed: Embed | None,
) -> Tensor:
    """Return (K, D, D) the covariances of classes that lie at `starts_K` in `order_N`."""
    place_M = torch.arange(int(counts_K.max()), device=order_N.device)
    member_KM = place_M < counts_K.unsqueeze(1)
    rows_KM = (starts_K.unsqueeze(1) + place_M).clamp_max(len(order_N) - 1)
    rows_RD = _embedded(features_ND[order_N[rows_KM.flatten()]], embed)
    padded_KMD = rows_RD.double().view(*rows_KM.shape, -1).mul_(member_KM.unsqueeze(2))
    means_KD = padded_KMD.sum(1) / counts_K.unsqueeze(1)
    padded_KMD.sub_(means_KD.unsqueeze(1)).mul_(member_KM.unsqueeze(2))
    return padded_KMD.mT @ padded_KMD / (counts_K - 1).view(-1, 1, 1)


def _covariance_of(
    features_ND: Tensor, own_M: Tensor, max_bytes: int, embed: Embed | None
) -> Tensor:
    """Return the (D, D) covariance of the samples at `own_M`."""
    size = features_ND.shape[1]
    total_D = torch.zeros(size, dtype=torch.float64, device=features_ND.device)
    sum_DD = torch.zeros(size, size, dtype=torch.float64, device=features_ND.device)
    slices = list(chunks(len(own_M), 8 * size, max_bytes))
    for part in slices:
        total_D += _embedded(features_ND[own_M[part]], embed).sum(0, dtype=torch.float64)
    mean_D = total_D / len(own_M)
    for part in slices:
        centred_BD = _embedded(features_ND[own_M[part]], embed).double() - mean_D
        add_gram(sum_DD, centred_BD)
    return sum_DD / (len(own_M) - 1)


def _embedded(rows_BD: Tensor, embed: Embed | None) -> Tensor:
    return rows_BD if embed is None else embed(rows_BD)


def _check_counts(classes: Sequence[int], counts: Sequence[int]) -> None:
    for label, count in zip(classes, counts, strict=True):
        if count < 2:
            raise ValueError(
                f"class {label} has {count} {'sample' if count == 1 else 'samples'}; "
                "a covariance of its own needs at least 2"
            )
