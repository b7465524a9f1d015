"""Ridge regression: one penalty from sums, many from one factorisation, all in float64.

Axis letters: N samples, D features, K targets, R rank of a factorisation, P penalties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cilsim.solvers.chunking import bound_for, chunks
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
        return self.basis @ self._scaled_targets(penalty)

    def errors(
        self,
        features_ND: Tensor,
        targets_NK: Tensor,
        penalties: Sequence[float] = PENALTIES,
        *,
        max_bytes: int | None = None,
    ) -> Tensor:
        """Return (P,) mean squared errors on other samples, over all targets.

        No tensor between takes more than `max_bytes`, by default the device's bound.
        """
        check_shapes(features_ND, targets_NK, self.basis.shape[0])
        scaled = [self._scaled_targets(penalty) for penalty in penalties]
        totals_P = torch.zeros(len(scaled), dtype=torch.float64, device=self.basis.device)
        bytes_per_row = 8 * max(*self.basis.shape, targets_NK.shape[1])
        for part in chunks(len(features_ND), bytes_per_row, bound_for(max_bytes, totals_P.device)):
            rotated_BR, y_BK = features_ND[part].double() @ self.basis, targets_NK[part].double()
            for place, scaled_RK in enumerate(scaled):
                totals_P[place] += (rotated_BR @ scaled_RK - y_BK).square_().sum()
        return totals_P / targets_NK.numel()

    def errors_from_sums(self, sums: RidgeSums, penalties: Sequence[float] = PENALTIES) -> Tensor:
        """Return (P,) mean squared errors on the samples of `sums`, over all targets."""
        return torch.stack([sums.error(self.weights(penalty)) for penalty in penalties])

    def _scaled_targets(self, penalty: float) -> Tensor:
        _check_penalty(penalty)
        return self.targets / (self.spectrum + penalty).unsqueeze(1)


def ridge_path(
    features_ND: Tensor, targets_NK: Tensor, *, max_bytes: int | None = None
) -> RidgePath:
    """Return the path of some samples, from the smaller of X X' (N x N) and X' X (D x D).

    Args:
        features_ND: (N, D) features.
        targets_NK: (N, K) targets.
        max_bytes: bound on the largest tensor beside that matrix and the result; by default the
            device's.
    """
    check_shapes(features_ND, targets_NK, features_ND.shape[-1])
    if len(features_ND) >= features_ND.shape[1]:
        sums = RidgeSums(features_ND.shape[1], features_ND.device)
        sums.add(features_ND, targets_NK, max_bytes=max_bytes)
        return path_from_sums(sums)
    samples, size = features_ND.shape
    columns = list(chunks(size, 8 * samples, bound_for(max_bytes, features_ND.device)))
    gram_NN = torch.zeros(samples, samples, dtype=torch.float64, device=features_ND.device)
    for part in columns:
        x_NB = features_ND[:, part].double()
        gram_NN.addmm_(x_NB, x_NB.T)
    spectrum_R, rotation_NR = torch.linalg.eigh(gram_NN)
    basis_DR = torch.cat([features_ND[:, part].double().T @ rotation_NR for part in columns])
    targets_RK = rotation_NR.T @ targets_NK.double()
    return RidgePath(basis_DR, spectrum_R.clamp_min(0.0), targets_RK)


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
