"""Points around the origin, a slice at a time: moved once for all if there is room, else each time.

Axis letters: N points, D features, B points of a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

import torch
from torch import Tensor

from cilsim.solvers.chunking import bound_for, bound_in_cache, chunks

Embed = Callable[[Tensor], Tensor]
"""Maps (B, D) rows to (B, D) rows, each by itself, such as to unit length."""


class PointRows:
    """N points, embedded, less a common shift, in float32 or float64.

    Where the moved points take more than `max_bytes` they are never held: a slice is moved
    whenever it is read. The bits are the same either way.

    Attributes:
        dtype: of the moved points.
        device: of the moved points.
        size: D.
        max_bytes: bound on what a caller makes of a slice.
    """

    def __init__(
        self,
        points_ND: Tensor,
        shift_D: Tensor | None = None,
        max_bytes: int | None = None,
        embed: Embed | None = None,
    ) -> None:
        """Take the points.

        Args:
            points_ND: (N, D) points of any floating type.
            shift_D: (D,) what is subtracted, which sets the type; by default nothing is.
            max_bytes: bound on the largest intermediate tensor; by default the device's.
            embed: applied before the shift, which then has to be given; by default nothing is.
        """
        self._points_ND, self._shift_D, self._embed = points_ND, shift_D, embed
        self.dtype = (points_ND if shift_D is None else shift_D).dtype
        self.device, self.size = points_ND.device, points_ND.shape[1]
        self.max_bytes = bound_for(max_bytes, self.device)
        if shift_D is not None and self.row_bytes * len(points_ND) <= self.max_bytes:
            self._points_ND, self._shift_D = self._moved(points_ND), None

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
        return self._moved(self._points_ND.index_select(0, index_B))

    def slices(self, bytes_per_row: int) -> Iterator[slice]:
        """Yield slices over the points whose tensors of `bytes_per_row` stay in the bound.

        Points that are moved each time come in slices that stay in a processor's cache until used.
        """
        if self._shift_D is None:
            return chunks(len(self), bytes_per_row, self.max_bytes)
        in_cache = bound_in_cache(self.max_bytes, self.device)
        rows = min(in_cache // max(1, self.row_bytes), self.max_bytes // max(1, bytes_per_row))
        return chunks(len(self), 1, max(1, rows))

    def _moved(self, points_BD: Tensor) -> Tensor:
        if self._shift_D is None:
            return points_BD
        embedded_BD = points_BD if self._embed is None else self._embed(points_BD)
        return embedded_BD.to(self.dtype) - self._shift_D


def column_means(points_ND: Tensor, max_bytes: int, embed: Embed | None = None) -> Tensor:
    """Return (D,) the means in float64 of embedded points, no copy of them beyond the bound."""
    size = points_ND.shape[1]
    total_D = torch.zeros(size, dtype=torch.float64, device=points_ND.device)
    for part in chunks(len(points_ND), 8 * size, bound_in_cache(max_bytes, points_ND.device)):
        embedded_BD = points_ND[part] if embed is None else embed(points_ND[part])
        total_D += embedded_BD.sum(0, dtype=torch.float64)
    return total_D / len(points_ND)
