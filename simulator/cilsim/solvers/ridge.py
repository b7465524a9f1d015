"""Ridge regression from sums, and many penalties from one factorisation, all in float64.

Axis letters: N samples, D features, K targets, R rank of a factorisation, P penalties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

PENALTIES = tuple(10.0**exponent for exponent in range(-8, 9))
"""The candidates of RanPAC's released code: powers of ten from 1e-8 to 1e8."""


class RidgeSums:
    """The sums that ridge regression needs; batches may come in any sizes and any order.

    Attributes:
        gram_DD: float64 sum of x x'.
        cross_DK: float64 sum of x y'; grows when targets with more columns come.
        squares: float64 sum of all squared targets, without axes.
        count: number of samples.
    """

    def __init__(self, feature_size: int, device: torch.device | str = "cpu") -> None:
        self.gram_DD = torch.zeros(feature_size, feature_size, dtype=torch.float64, device=device)
        self.cross_DK = torch.zeros(feature_size, 0, dtype=torch.float64, device=device)
        self.squares = torch.zeros((), dtype=torch.float64, device=device)
        self.count = 0

    def add(self, features_ND: Tensor, targets_NK: Tensor) -> None:
        """Add samples.

        Raises:
            ValueError: the shapes do not fit.
        """
        _check(features_ND, targets_NK, self.gram_DD.shape[0])
        features_ND, targets_NK = features_ND.double(), targets_NK.double()
        self.cross_DK = _widened(self.cross_DK, targets_NK.shape[1])
        self.gram_DD.addmm_(features_ND.T, features_ND)
        self.cross_DK[:, : targets_NK.shape[1]] += features_ND.T @ targets_NK
        self.squares += targets_NK.square().sum()
        self.count += len(features_ND)

    def plus(self, other: RidgeSums) -> RidgeSums:
        """Return the sums of the samples of both.

        Raises:
            ValueError: the feature sizes differ.
        """
        if other.gram_DD.shape != self.gram_DD.shape:
            raise ValueError(
                f"sums of {len(self.gram_DD)} and of {len(other.gram_DD)} features cannot be added"
            )
        both = RidgeSums(0, self.gram_DD.device)
        both.gram_DD = self.gram_DD + other.gram_DD
        columns = max(self.cross_DK.shape[1], other.cross_DK.shape[1])
        both.cross_DK = _widened(self.cross_DK, columns) + _widened(other.cross_DK, columns)
        both.squares, both.count = self.squares + other.squares, self.count + other.count
        return both

    def weights(self, penalty: float) -> Tensor:
        """Return (D, K) weights of one penalty, by Cholesky's factorisation where it exists.

        Raises:
            ValueError: the penalty is not positive.
        """
        _check_penalty(penalty)
        regular_DD = self.gram_DD.clone()
        regular_DD.diagonal().add_(penalty)
        factor_DD, broken = torch.linalg.cholesky_ex(regular_DD)
        if int(broken):  # rounding made it indefinite: the penalty is far below the largest value
            return path_from_sums(self).weights(penalty)
        return torch.cholesky_solve(self.cross_DK, factor_DD)

    def error(self, weights_DK: Tensor) -> Tensor:
        """Return the mean squared error of `weights_DK` on the samples, over all targets.

        Targets that these samples do not have count as zeros.
        """
        cross_DK = _widened(self.cross_DK, weights_DK.shape[1])
        quadratic = (weights_DK * (self.gram_DD @ weights_DK - 2.0 * cross_DK)).sum()
        return (quadratic + self.squares) / (self.count * weights_DK.shape[1])

    def state_dict(self) -> dict[str, Any]:
        """Return the sums, for a checkpoint."""
        sums = {"gram": self.gram_DD, "cross": self.cross_DK, "squares": self.squares}
        return {**sums, "count": self.count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the sums."""
        self.gram_DD, self.cross_DK = state["gram"], state["cross"]
        self.squares, self.count = state["squares"], state["count"]


@dataclass(frozen=True)
class RidgePath:
    """Ridge regressions of all penalties: weights(p) = basis diag(1 / (spectrum + p)) targets.

    Attributes:
        basis_DR: float64, orthonormal columns or features times such columns.
        spectrum_R: float64 eigenvalues of the Gram matrix, not negative.
        targets_RK: float64 targets in the rotated coordinates.
    """

    basis_DR: Tensor
    spectrum_R: Tensor
    targets_RK: Tensor

    def weights(self, penalty: float) -> Tensor:
        """Return (D, K) weights of one penalty.

        Raises:
            ValueError: the penalty is not positive.
        """
        _check_penalty(penalty)
        return self.basis_DR @ (self.targets_RK / (self.spectrum_R + penalty).unsqueeze(1))

    def errors(
        self, features_ND: Tensor, targets_NK: Tensor, penalties: Sequence[float] = PENALTIES
    ) -> Tensor:
        """Return (P,) mean squared errors on other samples, over all targets."""
        _check(features_ND, targets_NK, self.basis_DR.shape[0])
        rotated_NR, targets_NK = features_ND.double() @ self.basis_DR, targets_NK.double()
        errors = []
        for penalty in penalties:
            _check_penalty(penalty)
            scaled_RK = self.targets_RK / (self.spectrum_R + penalty).unsqueeze(1)
            errors.append((rotated_NR @ scaled_RK - targets_NK).square().mean())
        return torch.stack(errors)

    def errors_from_sums(
        self, sums: RidgeSums, penalties: Sequence[float] = PENALTIES
    ) -> Tensor:
        """Return (P,) mean squared errors on the samples of `sums`, over all targets."""
        return torch.stack([sums.error(self.weights(penalty)) for penalty in penalties])


def ridge_path(features_ND: Tensor, targets_NK: Tensor) -> RidgePath:
    """Return the path of some samples, from the smaller of X X' (N x N) and X' X (D x D)."""
    _check(features_ND, targets_NK, features_ND.shape[-1])
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
    return max(penalties[index] for index in smallest.nonzero().flatten().tolist())


def _widened(matrix_DK: Tensor, columns: int) -> Tensor:
    """Return the matrix with columns of zeros up to `columns`, or itself if it has as many."""
    missing = columns - matrix_DK.shape[1]
    return F.pad(matrix_DK, (0, missing)) if missing > 0 else matrix_DK


def _check(features_ND: Tensor, targets_NK: Tensor, feature_size: int) -> None:
    fits = features_ND.ndim == 2 and targets_NK.ndim == 2 and len(features_ND) == len(targets_NK)
    if not fits or features_ND.shape[1] != feature_size:
        raise ValueError(
            f"features have shape {tuple(features_ND.shape)} and targets "
            f"{tuple(targets_NK.shape)}; expected (N, {feature_size}) and (N, K)"
        )


def _check_penalty(penalty: float) -> None:
    if not penalty > 0.0:
        raise ValueError(f"the penalty is {penalty}; expected a number above 0")
