"""What makes covariance matrices comparable and invertible: shrinkage, correlation, inverses.

Axis letters: D features, K matrices.
"""

from __future__ import annotations

import torch
from torch import Tensor


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
    """Return S / (sd sd') with sd = sqrt(diag S), of (..., D, D).

    A constant feature, 0 / 0, has 1 with itself and 0 with the others: with 0 it would count
    nothing, and a class whose samples are all equal would be at distance 0 from everywhere.
    """
    deviation_D = covariance_DD.diagonal(dim1=-2, dim2=-1).clamp_min(0.0).sqrt()
    inverse_D = torch.where(deviation_D > 0, 1.0 / deviation_D, 0.0)
    correlation_DD = covariance_DD * inverse_D.unsqueeze(-1) * inverse_D.unsqueeze(-2)
    correlation_DD.diagonal(dim1=-2, dim2=-1).masked_fill_(deviation_D == 0, 1.0)
    return correlation_DD


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
    _, broken_K = torch.linalg.cholesky_ex(lifted_KDD)
    found_K: Tensor = (broken_K != 0) & (largest_K > 0)
    return found_K


def _tolerance(matrices_KDD: Tensor) -> float:
    return matrices_KDD.shape[-1] * torch.finfo(torch.float32).eps
