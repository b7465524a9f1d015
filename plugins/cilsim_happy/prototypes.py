"""Prototypes on the unit sphere and their spread.

Axis letters: N samples, D features, K classes, J classes before.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.prototypes.means import class_sums
from cilsim.prototypes.rows import moved_rows


def stage_prototypes(
    unit_ND: Tensor, labels_N: Tensor, rows_KD: Tensor, before_JD: Tensor | None
) -> Tensor:
    """Return (K, D) unit prototypes after a stage (Ma et al. 2024).

    Classes with samples have the normalised mean of these; new ones without any, to which nobody
    was predicted, their row of the classifier; old ones what they had.

    Args:
        unit_ND: normalised features.
        labels_N: their classes, given or predicted; negative for samples that do not count.
        rows_KD: rows of the classifier.
        before_JD: prototypes before the stage, or None.
    """
    sums_KD, counts_K = class_sums(unit_ND, labels_N, range(len(rows_KD)))
    chosen_KD = torch.where(counts_K.unsqueeze(1) > 0, sums_KD, rows_KD.double())
    unit_KD = F.normalize(chosen_KD).to(rows_KD.dtype)
    return F.normalize(moved_rows(before_JD, unit_KD, counts_K))


def radius(unit_ND: Tensor, labels_N: Tensor) -> float:
    """Return sqrt(mean over classes of trace(covariance) / D), covariances divided by n_c.

    Args:
        unit_ND: normalised features.
        labels_N: their classes.
    """
    classes_K, index_N = torch.unique(labels_N, return_inverse=True)
    rows = range(len(classes_K))
    sums_KD, counts_K = class_sums(unit_ND, index_N, rows)
    means_KD = sums_KD / counts_K.unsqueeze(1)
    squared_N1 = (unit_ND - means_KD[index_N]).square().mean(1, keepdim=True)
    summed_K1, _ = class_sums(squared_N1, index_N, rows)
    return float((summed_K1.squeeze(1) / counts_K).mean().sqrt())
