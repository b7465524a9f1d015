"""Training rows of linear classifiers, as far as a solver needs them: products with the matrix.

Axis letters: N rows, M source rows, G shifts, D features, K columns (classes).
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.solvers.chunking import bound_in_cache, chunks

NORM_FLOOR = 1e-12
"""Rows shorter than this are divided by it instead of by their norm, so 0 stays 0."""
ROUNDING = 16.0
"""A sum that is shorter than this many roundings of its parts holds no digit: it is 0. Divided by
its norm it would be noise, and its products, which are sums of large parts, noise without end."""


class Rows(Protocol):
    """A matrix X (N, D) that a solver multiplies with and never sees.

    Attributes:
        like: any tensor with the device and the dtype of X.
    """

    like: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""

    def times(self, right_DK: Tensor) -> Tensor:
        """Return X @ right: (N, K)."""

    def transposed_times(self, right_NK: Tensor) -> Tensor:
        """Return X.T @ right: (D, K)."""


class DenseRows:
    """Rows that exist as a matrix."""

    def __init__(self, features_ND: Tensor) -> None:
        self.like = features_ND

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        rows, size = self.like.shape
        return rows, size

    def times(self, right_DK: Tensor) -> Tensor:
        """Return X @ right: (N, K)."""
        return self.like @ right_DK

    def transposed_times(self, right_NK: Tensor) -> Tensor:
        """Return X.T @ right: (D, K)."""
        return (right_NK.T @ self.like).T


class ShiftedRows:
    """Row n is source[source_of[n]] + shifts[shift_of[n]], divided by its norm if asked.

    X p = scale * (gather(source p) + gather(shifts p)), and X.T v = source.T scatter(scale v) +
    shifts.T scatter(scale v), so that a product costs as much as one with the M source rows and
    the N rows are never stored. Sums over rows of one source run in a fixed order on every
    device.

    Attributes:
        like: (M, D) the source rows.
        scale: (N,) 1, or one over the norm of each row; 0 where source and shift cancel.
    """

    def __init__(
        self,
        source_MD: Tensor,
        source_of_N: Tensor,
        shifts_GD: Tensor,
        shift_of_N: Tensor,
        *,
        normalise: bool | Tensor,
        max_bytes: int | None = None,
    ) -> None:
        """Take the parts.

        Args:
            source_MD: (M, D) rows to shift.
            source_of_N: (N,) int64 which of them each row starts from.
            shifts_GD: (G, D) what is added.
            shift_of_N: (N,) int64 which shift each row gets.
            normalise: whether rows have length 1, or (N,) bool which of them.
            max_bytes: bound on the largest intermediate tensor; by default the device's.

        Raises:
            ValueError: the shapes differ.
        """
        _check_parts(source_MD, source_of_N, shifts_GD, shift_of_N)
        self.like = source_MD
        self._shifts_GD = shifts_GD
        self._source_of_N, self._shift_of_N = source_of_N, shift_of_N
        self._by_source = _Bags(source_of_N, len(source_MD))
        self._by_shift = _Bags(shift_of_N, len(shifts_GD))
        self.scale = source_MD.new_ones(len(source_of_N))
        if normalise is not False:
            self._source_norms_M = torch.linalg.vector_norm(source_MD, dim=1)
            self._shift_norms_G = torch.linalg.vector_norm(shifts_GD, dim=1)
            bound = bound_in_cache(max_bytes, source_MD.device)
            parts = chunks(len(source_of_N), source_MD.itemsize * source_MD.shape[1], bound)
            scales_N = torch.cat([self._scales(part) for part in parts])
            wanted = torch.as_tensor(normalise, device=source_MD.device)
            self.scale = torch.where(wanted, scales_N, self.scale)

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        return len(self._source_of_N), self.like.shape[1]

    def rows(self, positions_B: Tensor) -> Tensor:
        """Return (B, D) the rows at `positions_B`."""
        return self._unscaled(positions_B) * self.scale[positions_B].unsqueeze(1)

    def times(self, right_DK: Tensor) -> Tensor:
        """Return X @ right: (N, K)."""
        products_NK = (self.like @ right_DK).index_select(0, self._source_of_N)
        products_NK += (self._shifts_GD @ right_DK).index_select(0, self._shift_of_N)
        return products_NK.mul_(self.scale.unsqueeze(1))

    def transposed_times(self, right_NK: Tensor) -> Tensor:
        """Return X.T @ right: (D, K)."""
        by_source_MK = self._by_source.sums(right_NK, self.scale)
        by_shift_GK = self._by_shift.sums(right_NK, self.scale)
        return (by_source_MK.T @ self.like + by_shift_GK.T @ self._shifts_GD).T

    def _unscaled(self, positions_B: Tensor | slice) -> Tensor:
        source_BD = self.like[self._source_of_N[positions_B]]
        return source_BD + self._shifts_GD[self._shift_of_N[positions_B]]

    def _scales(self, part: slice) -> Tensor:
        norms_B: Tensor = torch.linalg.vector_norm(self._unscaled(part), dim=1)
        source_of_B, shift_of_B = self._source_of_N[part], self._shift_of_N[part]
        parts_B = self._source_norms_M[source_of_B] + self._shift_norms_G[shift_of_B]
        lost_B = norms_B <= ROUNDING * torch.finfo(norms_B.dtype).eps * parts_B
        return torch.where(lost_B, 0.0, 1.0 / norms_B.clamp_min(NORM_FLOOR))


class _Bags:
    """Sums of the rows of each group, in the order of the rows."""

    def __init__(self, group_of_N: Tensor, groups: int) -> None:
        self._order_N = group_of_N.argsort(stable=True)
        counts_G = torch.bincount(group_of_N, minlength=groups)
        self._starts_G = counts_G.cumsum(0) - counts_G

    def sums(self, values_NK: Tensor, weights_N: Tensor) -> Tensor:
        """Return (G, K) the weighted sum of the rows of each group; 0 for an empty one."""
        return F.embedding_bag(
            self._order_N,
            values_NK.contiguous(),
            self._starts_G,
            mode="sum",
            per_sample_weights=weights_N[self._order_N],
        )


def _check_parts(
    source_MD: Tensor, source_of_N: Tensor, shifts_GD: Tensor, shift_of_N: Tensor
) -> None:
    fit = source_MD.ndim == shifts_GD.ndim == 2 and source_of_N.ndim == 1
    if not fit or (
        source_of_N.shape != shift_of_N.shape or source_MD.shape[1] != shifts_GD.shape[1]
    ):
        raise ValueError(
            f"source rows {tuple(source_MD.shape)}, shifts {tuple(shifts_GD.shape)} and their "
            f"indices {tuple(source_of_N.shape)} and {tuple(shift_of_N.shape)} do not fit; "
            "expected (M, D), (G, D), (N,) and (N,)"
        )
