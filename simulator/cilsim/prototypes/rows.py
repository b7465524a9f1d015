"""Growing a matrix of prototypes, replacing and stretching rows of it.

Axis letters: K classes, D features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.prototypes.scores import NORM_FLOOR


def append_rows(rows_KD: Tensor | None, more_KD: Tensor) -> Tensor:
    """Return `rows_KD` with `more_KD` below, or `more_KD` alone where there was nothing yet."""
    return more_KD if rows_KD is None else torch.cat([rows_KD, more_KD])


def moved_rows(rows_JD: Tensor | None, means_KD: Tensor, counts_K: Tensor) -> Tensor:
    """Return (K, D) the prototypes after an experience.

    Rows of classes that the experience had samples of, and of classes that had no row, are their
    means; other rows stay as they are, such as calibrated ones.

    Args:
        rows_JD: (J, D) the prototypes before, J <= K, or None.
        means_KD: (K, D) the means of all classes seen, in the type of the rows.
        counts_K: (K,) how many samples of each class the experience had.
    """
    if rows_JD is None:
        return means_KD
    came_again_J1 = (counts_K[: len(rows_JD)] > 0).unsqueeze(1)
    old_JD = torch.where(came_again_J1, means_KD[: len(rows_JD)], rows_JD)
    return torch.cat([old_JD, means_KD[len(rows_JD) :]])


def raw_rows(rows_KD: Tensor, raw_JD: Tensor | None, before_JD: Tensor | None) -> Tensor:
    """Return (K, D) the class means before any calibration.

    Args:
        rows_KD: (K, D) what a strategy has after an experience.
        raw_JD: (J, D) the raw means so far, J <= K, or None.
        before_JD: (J, D) what the strategy had before, calibrated; a row that it has moved since
            is a raw mean again.
    """
    if raw_JD is None or before_JD is None:
        return rows_KD
    old_JD = rows_KD[: len(raw_JD)]
    moved_J1 = (old_JD != before_JD).any(1, keepdim=True)
    return torch.cat([torch.where(moved_J1, old_JD, raw_JD), rows_KD[len(raw_JD) :]])


def with_lengths(rows_KD: Tensor, lengths_K: Tensor) -> Tensor:
    """Return (K, D) rows of the given lengths and unchanged directions.

    A row that has its length to the last bit stays as it is.
    """
    lengths_K1 = lengths_K.unsqueeze(1)
    same_K1 = torch.linalg.vector_norm(rows_KD, dim=1, keepdim=True) == lengths_K1
    return torch.where(same_K1, rows_KD, F.normalize(rows_KD, eps=NORM_FLOOR) * lengths_K1)
