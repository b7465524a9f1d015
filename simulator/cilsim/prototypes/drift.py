"""How prototypes look and move: the values behind the `prototypes/...` charts.

Axis letters: D features, K classes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.prototypes.scores import NORM_FLOOR
from cilsim.prototypes.table import PrototypeTable


def nearest_cosines(prototypes_KD: Tensor) -> tuple[Tensor, Tensor]:
    """Return (K,) each prototype's largest cosine to another one, and (K,) which one that is.

    Raises:
        ValueError: there is only one prototype.
    """
    if len(prototypes_KD) < 2:
        raise ValueError(f"{len(prototypes_KD)} prototypes; expected at least 2")
    unit_KD = F.normalize(prototypes_KD, dim=1, eps=NORM_FLOOR)
    nearest = (unit_KD @ unit_KD.T).fill_diagonal_(-2.0).max(dim=1)
    return nearest.values, nearest.indices


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
        values["nearest_cosine"] = nearest_cosines(rows_KD)[0][new]
    if previous_JD is not None:
        values["drift"] = drift(rows_KD, previous_JD)
    kept = {name: of_rows for name, of_rows in values.items() if len(of_rows)}
    if not kept:
        return {}
    means = torch.stack([of_rows.mean() for of_rows in kept.values()]).tolist()
    return dict(zip(kept, means, strict=True))
