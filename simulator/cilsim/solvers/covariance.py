"""Covariance matrices of classes, and what makes them invertible, in float64.

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


def shrink(covariance_DD: Tensor, diagonal: float, off_diagonal: float) -> Tensor:
    """Return S + a1 mean(diag S) I + a2 mean(nonzero off-diagonal of S) (1 - I).

    FeCAM (Goswami et al. 2023), released `shrink_cov`.

    Args:
        covariance_DD: (..., D, D).
        diagonal: a1.
        off_diagonal: a2.
    """
    variances_D = covariance_DD.diagonal(dim1=-2, dim2=-1)
    off_DD = covariance_DD - torch.diag_embed(variances_D)
    counted = (off_DD != 0).sum((-2, -1)).clamp_min(1)
    mean_off = (off_DD.sum((-2, -1)) / counted)[..., None, None]
    shrunk_DD = covariance_DD + off_diagonal * mean_off
    on_diagonal_D = variances_D + diagonal * variances_D.mean(-1, keepdim=True)
    shrunk_DD.diagonal(dim1=-2, dim2=-1).copy_(on_diagonal_D)
    return shrunk_DD


def correlation(covariance_DD: Tensor) -> Tensor:
    """Return S / (sd sd') with sd = sqrt(diag S), of (..., D, D); a constant feature gives 0."""
    deviation_D = covariance_DD.diagonal(dim1=-2, dim2=-1).clamp_min(0.0).sqrt()
    inverse_D = torch.where(deviation_D > 0, 1.0 / deviation_D, 0.0)
    return covariance_DD * inverse_D.unsqueeze(-1) * inverse_D.unsqueeze(-2)


def row_correlation(matrix_DD: Tensor) -> Tensor:
    """Return Pearson's correlations between the rows of (..., D, D), as `torch.corrcoef` does.

    Of a covariance matrix this is not its correlation matrix; its rank is at most D - 1.
    """
    centred_DD = matrix_DD - matrix_DD.mean(-1, keepdim=True)
    return correlation(centred_DD @ centred_DD.mT)


def oas(second_moment_DD: Tensor, count: int) -> Tensor:
    """Return (1 - rho) E + rho m I, the oracle approximating shrinkage of a second moment E.

    Chen et al. 2010 in the form of scikit-learn's `OAS(assume_centered=True)`: m = trace(E) / p,
    a = mean(E^2), rho = min(1, (a + m^2) / ((n + 1) (a - m^2 / p))).

    Args:
        second_moment_DD: (D, D) mean of x x' of centred samples.
        count: their number n.
    """
    size = second_moment_DD.shape[0]
    mean = second_moment_DD.diagonal().mean()
    alpha = second_moment_DD.square().mean()
    denominator = (count + 1) * (alpha - mean.square() / size)
    rho = torch.where(denominator > 0, (alpha + mean.square()) / denominator, 1.0).clamp_max(1.0)
    shrunk_DD = (1.0 - rho) * second_moment_DD
    shrunk_DD.diagonal().add_(rho * mean)
    return shrunk_DD


def inverse(matrices_KDD: Tensor) -> Tensor:
    """Return the inverses of symmetric matrices, pseudo-inverses where they are near singular.

    By Cholesky's factorisation; a matrix that has none, or whose pivots span more than float32
    can tell apart, is inverted by its eigenvalues, of which those below D times float32's epsilon
    of the largest count as 0 (the default cut-off of the released codes, which are float32).
    """
    tolerance = _tolerance(matrices_KDD)
    factors_KDD, broken_K = torch.linalg.cholesky_ex(matrices_KDD)
    pivots_KD = factors_KDD.diagonal(dim1=-2, dim2=-1).square()
    near_singular_K = ~(pivots_KD.amin(-1) > tolerance * pivots_KD.amax(-1))
    singular_K = (broken_K != 0) | near_singular_K
    if not bool(singular_K.any()):
        return torch.cholesky_inverse(factors_KDD)
    inverses_KDD = torch.empty_like(matrices_KDD)
    inverses_KDD[~singular_K] = torch.cholesky_inverse(factors_KDD[~singular_K])
    inverses_KDD[singular_K] = torch.linalg.pinv(
        matrices_KDD[singular_K], rtol=tolerance, hermitian=True
    )
    return inverses_KDD


def indefinite(matrices_KDD: Tensor) -> Tensor:
    """Return (K,) whether a symmetric matrix has an eigenvalue below 0 by more than rounding.

    Distances by the inverse of such a matrix can be negative, and then mean nothing.
    """
    largest_K = matrices_KDD.abs().amax((-2, -1))
    lifted_KDD = matrices_KDD.clone()
    diagonals_KD = lifted_KDD.diagonal(dim1=-2, dim2=-1)
    diagonals_KD.add_((_tolerance(matrices_KDD) * largest_K).unsqueeze(1))
    broken_K = torch.linalg.cholesky_ex(lifted_KDD)[1] != 0
    return broken_K & (largest_K > 0)


def _tolerance(matrices_KDD: Tensor) -> float:
    return matrices_KDD.shape[-1] * torch.finfo(torch.float32).eps


def _check_counts(classes: Sequence[int], counts: Sequence[int]) -> None:
    for label, count in zip(classes, counts, strict=True):
        if count < 2:
            raise ValueError(
                f"class {label} has {count} {'sample' if count == 1 else 'samples'}; "
                "a covariance of its own needs at least 2"
            )
