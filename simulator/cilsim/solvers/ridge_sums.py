"""The sums that ridge regression needs, in float64.

Axis letters: N samples, D features, K targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.solvers.chunking import bound_for, chunks
from cilsim.solvers.gram import add_gram


class RidgeSums:
    """Sums over samples; batches may come in any sizes and any order.

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

    def add(self, features_ND: Tensor, targets_NK: Tensor, *, max_bytes: int | None = None) -> None:
        """Add samples, a slice of at most `max_bytes` at a time (by default the device's bound).

        Raises:
            ValueError: the shapes do not fit.
        """
        check_shapes(features_ND, targets_NK, self.gram_DD.shape[0])
        targets = targets_NK.shape[1]
        self.cross_DK = _widened(self.cross_DK, targets)
        bytes_per_row = 8 * max(features_ND.shape[1], targets)
        bound = bound_for(max_bytes, features_ND.device)
        for part in chunks(len(features_ND), bytes_per_row, bound):
            x_BD, y_BK = features_ND[part].double(), targets_NK[part].double()
            add_gram(self.gram_DD, x_BD)
            self.cross_DK[:, :targets].addmm_(x_BD.T, y_BK)
            self.squares += y_BK.square().sum()
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


def check_shapes(features_ND: Tensor, targets_NK: Tensor, feature_size: int) -> None:
    """Check that features and targets fit each other and `feature_size`.

    Raises:
        ValueError: they do not; the message holds the shapes.
    """
    fits = features_ND.ndim == 2 and targets_NK.ndim == 2 and len(features_ND) == len(targets_NK)
    if not fits or features_ND.shape[1] != feature_size:
        raise ValueError(
            f"features have shape {tuple(features_ND.shape)} and targets "
            f"{tuple(targets_NK.shape)}; expected (N, {feature_size}) and (N, K)"
        )


def _widened(matrix_DK: Tensor, columns: int) -> Tensor:
    """Return the matrix with columns of zeros up to `columns`, or itself if it has as many."""
    missing = columns - matrix_DK.shape[1]
    return F.pad(matrix_DK, (0, missing)) if missing > 0 else matrix_DK
