"""Ridge regression: one penalty from sums, many from one factorisation, all in float64.

Axis letters: N samples, D features, K targets, R rank of a factorisation, P penalties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cilsim.solvers.ridge_sums import RidgeSums, check_shapes

PENALTIES = tuple(10.0**exponent for exponent in range(-8, 9))
"""The candidates of RanPAC's released code: powers of ten from 1e-8 to 1e8."""


def ridge_weights(sums: RidgeSums, penalty: float) -> Tensor:
    """Return (D, K) weights of one penalty, by Cholesky's factorisation where it exists.

    Raises:
        ValueError: the penalty is not positive.
    """
    _check_penalty(penalty)
    regular_DD = sums.gram_DD.clone()
    regular_DD.diagonal().add_(penalty)
    factor_DD, broken = torch.linalg.cholesky_ex(regular_DD)
    if int(broken):  # rounding made it indefinite: the penalty is far below the largest value
        return path_from_sums(sums).weights(penalty)
    return torch.cholesky_solve(sums.cross_DK, factor_DD)


@dataclass(frozen=True)
class RidgePath:
    """Ridge regressions of all penalties: weights(p) = basis diag(1 / (spectrum + p)) targets.

    Attributes:
        basis: (D, R) float64, orthonormal columns or features times such columns.
        spectrum: (R,) float64 eigenvalues of the Gram matrix, not negative.
        targets: (R, K) float64 targets in the rotated coordinates.
    """

    basis: Tensor
    spectrum: Tensor
    targets: Tensor

    def weights(self, penalty: float) -> Tensor:
        """Return (D, K) weights of one penalty.

        Raises:
            ValueError: the penalty is not positive.
        """
        _check_penalty(penalty)
        return self.basis @ (self.targets / (self.spectrum + penalty).unsqueeze(1))

    def errors(
        self, features_ND: Tensor, targets_NK: Tensor, penalties: Sequence[float] = PENALTIES
    ) -> Tensor:
        """Return (P,) mean squared errors on other samples, over all targets."""
        check_shapes(features_ND, targets_NK, self.basis.shape[0])
        rotated_NR, targets_NK = features_ND.double() @ self.basis, targets_NK.double()
        errors = []
        for penalty in penalties:
            _check_penalty(penalty)
            scaled_RK = self.targets / (self.spectrum + penalty).unsqueeze(1)
            errors.append((rotated_NR @ scaled_RK - targets_NK).square().mean())
        return torch.stack(errors)

    def errors_from_sums(self, sums: RidgeSums, penalties: Sequence[float] = PENALTIES) -> Tensor:
        """Return (P,) mean squared errors on the samples of `sums`, over all targets."""
        return torch.stack([sums.error(self.weights(penalty)) for penalty in penalties])


def ridge_path(features_ND: Tensor, targets_NK: Tensor) -> RidgePath:
    """Return the path of some samples, from the smaller of X X' (N x N) and X' X (D x D)."""
    check_shapes(features_ND, targets_NK, features_ND.shape[-1])
    if len(features_ND) >= features_ND.shape[1]:
        sums = RidgeSums(features_ND.shape[1], features_ND.device)
        sums.add(features_ND, targets_NK)
        return path_from_sums(sums)
    features_ND = features_ND.double()
    spectrum_R, rotation_NR = torch.linalg.eigh(features_ND @ features_ND.T)
    targets_RK = rotation_NR.T @ targets_NK.double()
    return RidgePath(features_ND.T @ rotation_NR, spectrum_R.clamp_min(0.0), targets_RK)


def path_from_sums(sums: RidgeSums) -> RidgePath:
    """Return the path of the samples of `sums`, from one D x D eigendecomposition."""
    spectrum_R, rotation_DR = torch.linalg.eigh(sums.gram_DD)
    return RidgePath(rotation_DR, spectrum_R.clamp_min(0.0), rotation_DR.T @ sums.cross_DK)


def best_penalty(errors_P: Tensor, penalties: Sequence[float] = PENALTIES) -> float:
    """Return the penalty of the smallest error; of equal errors, the largest penalty."""
    smallest = errors_P == errors_P.min()
    indices: list[int] = smallest.nonzero().flatten().tolist()
    return max(penalties[index] for index in indices)


def _check_penalty(penalty: float) -> None:
    if not penalty > 0.0:
        raise ValueError(f"the penalty is {penalty}; expected a number above 0")
