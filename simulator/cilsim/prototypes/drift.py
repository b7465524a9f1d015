"""How prototypes look and move: the values behind the `prototypes/...` charts.

Axis letters: D features, K classes, M of them, B rows of a slice.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.prototypes.scores import NORM_FLOOR
from cilsim.prototypes.table import PrototypeTable

ROWS_AT_A_TIME = 1024
"""Prototypes that are compared with all others at a time: 40 MB for 10,000 classes."""


def nearest_cosines(
    prototypes_KD: Tensor, of: Sequence[int] | None = None
) -> tuple[Tensor, Tensor]:
    """Return (M,) the largest cosine of prototypes to another one, and (M,) which one that is.

    In slices, so that many classes take memory in proportion to their number.

    Args:
        prototypes_KD: (K, D) all prototypes.
        of: the rows that are asked about, M of them; by default all.

    Raises:
        ValueError: there is only one prototype.
    """
    if len(prototypes_KD) < 2:
        raise ValueError(f"{len(prototypes_KD)} prototypes; expected at least 2")
    unit_KD = F.normalize(prototypes_KD, dim=1, eps=NORM_FLOOR)
    asked = range(len(unit_KD)) if of is None else of
    asked_M = torch.tensor(list(asked), dtype=torch.int64, device=unit_KD.device)
    cosines_M, nearest_M = unit_KD.new_empty(len(asked_M)), torch.empty_like(asked_M)
    for start in range(0, len(asked_M), ROWS_AT_A_TIME):
        part = slice(start, start + ROWS_AT_A_TIME)
        own_B1 = asked_M[part].unsqueeze(1)
        cosines_BK = unit_KD[asked_M[part]] @ unit_KD.T
        cosines_M[part], nearest_M[part] = cosines_BK.scatter_(1, own_B1, -2.0).max(dim=1)
    return cosines_M, nearest_M


def drift(prototypes_KD: Tensor, previous_JD: Tensor) -> Tensor:
    """Return (J,) how far each row moved: the Euclidean distance to where it was.

    Args:
        prototypes_KD: (K, D) the table now.
        previous_JD: (J, D) the table after the previous experience, J <= K.
    """
    moved_JD = prototypes_KD[: len(previous_JD)] - previous_JD
    distances_J: Tensor = torch.linalg.vector_norm(moved_JD, dim=1)
    return distances_J


def prototype_diagnostics(
    table: PrototypeTable, previous_JD: Tensor | None = None
) -> dict[str, float]:
    """Return the scalars of the `prototypes/` charts; those without meaning are absent.

    `norm_new` and `norm_old` are mean L2 norms of the rows of new and of earlier classes,
    `nearest_cosine` is the mean over new classes of the largest cosine to any other prototype (high
    means confusable), `drift` is the mean distance that earlier rows moved. One transfer to the
    host for all of them.

    Args:
        table: the prototypes after calibration.
        previous_JD: (J, D) the rows after the previous experience, or None.
    """
    rows_KD, new = table.vectors, list(table.new)
    old = sorted(set(range(table.seen)) - set(new))
    norms_K = torch.linalg.vector_norm(rows_KD, dim=1)
    values = {"norm_new": norms_K[new], "norm_old": norms_K[old]}
    if table.seen > 1:
        values["nearest_cosine"] = nearest_cosines(rows_KD, new)[0]
    if previous_JD is not None:
        values["drift"] = drift(rows_KD, previous_JD)
    kept = {name: of_rows for name, of_rows in values.items() if len(of_rows)}
    if not kept:
        return {}
    means = torch.stack([of_rows.mean() for of_rows in kept.values()]).tolist()
    return dict(zip(kept, means, strict=True))
