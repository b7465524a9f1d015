"""Points around the origin, a slice at a time: moved once for all if there is room, else each time.

Axis letters: N points, D features, B points of a slice.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor

from cilsim.solvers.chunking import bound_for, chunks


class PointRows:
    """N points less a common shift, in float32 or float64.

    Where the moved points take more than `max_bytes` they are never held: a slice is moved
    whenever it is read. The bits are the same either way.

    Attributes:
        dtype: of the moved points.
        device: of the moved points.
        size: D.
        max_bytes: bound on what a caller makes of a slice.
    """

    def __init__(
        self, points_ND: Tensor, shift_D: Tensor | None = None, max_bytes: int | None = None
    ) -> None:
        """Take the points.

        Args:
            points_ND: (N, D) points of any floating type.
            shift_D: (D,) what is subtracted, which sets the type; by default nothing is.
            max_bytes: bound on the largest intermediate tensor; by default the device's.
        """
        self._points_ND, self._shift_D = points_ND, shift_D
        self.dtype = (points_ND if shift_D is None else shift_D).dtype
        self.device, self.size = points_ND.device, points_ND.shape[1]
        self.max_bytes = bound_for(max_bytes, self.device)
        if shift_D is not None and self.row_bytes * len(points_ND) <= self.max_bytes:
            self._points_ND, self._shift_D = points_ND.to(self.dtype) - shift_D, None

    def __len__(self) -> int:
        return len(self._points_ND)

    @property
    def row_bytes(self) -> int:
        """Bytes of one moved point."""
        return self.size * self.dtype.itemsize

    @cached_property
    def squares(self) -> Tensor:
        """(N,) squared norms of the moved points."""
        squares_N = torch.empty(len(self), dtype=self.dtype, device=self.device)
        for part in self.slices(self.row_bytes):
            squares_N[part] = self.part(part).square().sum(1)
        return squares_N

    def part(self, part: slice) -> Tensor:
        """Return (B, D) the points of a slice."""
        return self._moved(self._points_ND[part])

    def at(self, index_B: Tensor) -> Tensor:
        """Return (B, D) the points at some positions."""
        return self._moved(self._points_ND[index_B])

    def slices(self, bytes_per_row: int) -> Iterator[slice]:
        """Yield slices over the points whose tensors of `bytes_per_row` stay in the bound."""
        per_row = bytes_per_row if self._shift_D is None else max(bytes_per_row, self.row_bytes)
        return chunks(len(self), per_row, self.max_bytes)

    def _moved(self, points_BD: Tensor) -> Tensor:
        return points_BD if self._shift_D is None else points_BD.to(self.dtype) - self._shift_D


def column_means(points_ND: Tensor, max_bytes: int) -> Tensor:
    """Return (D,) the means in float64, without a float64 copy of the points beyond the bound."""
    size = points_ND.shape[1]
    total_D = torch.zeros(size, dtype=torch.float64, device=points_ND.device)
    for part in chunks(len(points_ND), 8 * size, max_bytes):
        total_D += points_ND[part].sum(0, dtype=torch.float64)
    return total_D / len(points_ND)
