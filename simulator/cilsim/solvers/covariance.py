"""Covariance matrices of all samples and of classes, in float64.

Axis letters: N samples, D features, K classes, M samples of the largest class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from cilsim.solvers.distances import chunks


def covariance(features_ND: Tensor) -> Tensor:
    """Return the (D, D) covariance of all samples with divisor N - 1.

    Raises:
        ValueError: there are fewer than two samples.
    """
    if len(features_ND) < 2:
        raise ValueError(f"{len(features_ND)} samples; a covariance needs at least 2")
    mean_D = features_ND.mean(0, dtype=torch.float64)
    size = features_ND.shape[1]
    sum_DD = torch.zeros(size, size, dtype=torch.float64, device=features_ND.device)
    for part in chunks(len(features_ND), size):
        centred_BD = features_ND[part].double() - mean_D
        sum_DD.addmm_(centred_BD.T, centred_BD)
    return sum_DD / (len(features_ND) - 1)


def class_covariances(
    features_ND: Tensor, labels_N: Tensor, classes: Sequence[int]
) -> Iterator[Tensor]:
    """Yield the covariances of the classes, divisor n - 1, as (k, D, D) for the next k classes.

    Several classes go through one batched product; together they stay within the bound of `chunks`.

    Args:
        features_ND: (N, D) features.
        labels_N: (N,) integer labels; samples of other classes are ignored.
        classes: the labels wanted.

    Raises:
        ValueError: a class has fewer than two samples.
    """
    wanted_K = torch.tensor(list(classes), device=labels_N.device)
    order_N = labels_N.argsort(stable=True)
    sorted_N = labels_N[order_N].contiguous()
    starts_K = torch.searchsorted(sorted_N, wanted_K)
    counts_K = torch.searchsorted(sorted_N, wanted_K, right=True) - starts_K
    _check_counts(classes, counts_K.tolist())
    size = features_ND.shape[1]
    for part in chunks(len(classes), size * max(size, int(counts_K.max()))):
        counts, starts = counts_K[part], starts_K[part]
        place_M = torch.arange(int(counts.max()), device=labels_N.device)
        member_KM = place_M < counts.unsqueeze(1)
        rows_KM = (starts.unsqueeze(1) + place_M).clamp_max(len(order_N) - 1)
        padded_KMD = features_ND[order_N[rows_KM]].double() * member_KM.unsqueeze(2)
        means_KD = padded_KMD.sum(1) / counts.unsqueeze(1)
        padded_KMD = (padded_KMD - means_KD.unsqueeze(1)) * member_KM.unsqueeze(2)
        products_KDD = padded_KMD.transpose(1, 2) @ padded_KMD
        yield products_KDD / (counts - 1).view(-1, 1, 1)


def _check_counts(classes: Sequence[int], counts: Sequence[int]) -> None:
    for label, count in zip(classes, counts, strict=True):
        if count < 2:
            raise ValueError(
                f"class {label} has {count} {'sample' if count == 1 else 'samples'}; "
                "a covariance of its own needs at least 2"
            )
