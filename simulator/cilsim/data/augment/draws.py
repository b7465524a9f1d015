"""From uniform random numbers to choices."""

from __future__ import annotations

from torch import Tensor


def whole(uniform: Tensor, choices: int | Tensor) -> Tensor:
    """Return whole numbers in [0, choices); rounding never reaches `choices` below 2**24."""
    return (uniform * choices).long()
