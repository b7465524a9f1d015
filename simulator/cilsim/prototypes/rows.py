"""Growing a matrix of prototypes.

Axis letters: K classes, D features.
"""

from __future__ import annotations

import torch
from torch import Tensor


def append_rows(rows_KD: Tensor | None, more_KD: Tensor) -> Tensor:
    """Return `rows_KD` with `more_KD` below, or `more_KD` alone where there was nothing yet."""
    return more_KD if rows_KD is None else torch.cat([rows_KD, more_KD])
