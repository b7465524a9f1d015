"""The formulas of FeTrIL: which new class an old one borrows from, and the translation.

Every training row is (f - mean of f's own class) + mean of the class that it stands for: for new
classes that is the feature itself. So all rows are new features less their means, plus one row of
the means, and need not be stored (`ShiftedRows`).

Axis letters: M samples of new classes, N training rows, K classes seen, J new classes, D features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.solvers.chunking import bound_in_cache, chunks
from cilsim.solvers.design_rows import NORM_FLOOR, ShiftedRows

BLOCK = 512
"""Rows in a block of the released script's loader."""


@dataclass(frozen=True)
class Rows:
    """Which sample each training row starts from, and which class it stands for.

    Attributes:
        sample: (N,) position of a sample of a new class.
        label: (N,) class, ascending.
    """

    sample: Tensor
    label: Tensor


def nearest_new(means_KD: Tensor, new: int, *, measure: str, rank: int = 1) -> Tensor:
    """Return (K,) for each class the new class of the `rank`-th most similar mean, from 0 to J-1.

    A new class is its own. Distances and similarities are float64 and between means that are not
    normalised; of equals, the lowest class comes first. Petit et al. 2023, section 3.2 (cosine),
    and released `compute_distances` (Euclidean).

    Args:
        means_KD: (K, D) means of all classes seen; new classes have the last rows.
        new: J.
        measure: `euclidean` or `cosine`.
        rank: 1 for the most similar; more than J is J.
    """
    means_KD = means_KD.to(torch.float64)
    old = len(means_KD) - new
    if measure == "cosine":
        unit_KD = F.normalize(means_KD, dim=1, eps=NORM_FLOOR)
        distances_KJ = -(unit_KD[:old] @ unit_KD[old:].T)
    else:
        exact = "donot_use_mm_for_euclid_dist"
        distances_KJ = torch.cdist(means_KD[:old], means_KD[old:], compute_mode=exact)
    ordered_KJ = distances_KJ.argsort(dim=1, stable=True)
    own_J = torch.arange(new, device=means_KD.device)
    return torch.cat([ordered_KJ[:, min(rank, new) - 1], own_J])


def borrowed_rows(labels_M: Tensor, source_K: Tensor) -> Rows:
    """Return the rows of classes that take all samples of their source class, in given order.

    Args:
        labels_M: (M,) the new class of each sample, from 0 to J-1.
        source_K: (K,) the new class that each class seen takes its samples from.
    """
    order_M = labels_M.argsort(stable=True)
    sizes_J = torch.bincount(labels_M)
    starts_J = sizes_J.cumsum(0) - sizes_J
    sizes_K = sizes_J[source_K]
    label_N = _repeated(sizes_K)
    first_K = starts_J[source_K] - (sizes_K.cumsum(0) - sizes_K)
    position_N = torch.arange(len(label_N), device=labels_M.device) + first_K[label_N]
    return Rows(order_M[position_N], label_N)


def random_rows(labels_M: Tensor, classes: int, generator: torch.Generator) -> Rows:
    """Return the rows of FeTrIL^rand: old classes take samples from anywhere in the new ones.

    Each takes as many as a new class has on average, none twice: a stretch of one random order of
    all samples that begins at a random place.

    Args:
        labels_M: (M,) the new class of each sample, from 0 to J-1.
        classes: K.
        generator: CPU generator.
    """
    count, new = len(labels_M), int(labels_M.max()) + 1
    size, old = max(1, round(count / new)), classes - new
    shuffled_M = torch.randperm(count, generator=generator)
    start_K = torch.randint(count, (old, 1), generator=generator)
    drawn_KS = shuffled_M[(start_K + torch.arange(size)) % count].to(labels_M.device)
    own = borrowed_rows(labels_M, torch.arange(new, device=labels_M.device))
    label_N = torch.arange(old, device=labels_M.device).repeat_interleave(size)
    return Rows(torch.cat([drawn_KS.flatten(), own.sample]), torch.cat([label_N, own.label + old]))


def translate(
    features_MD: Tensor,
    labels_M: Tensor,
    own_means_JD: Tensor,
    means_KD: Tensor,
    rows: Rows,
    *,
    normalise: bool | Tensor = True,
) -> ShiftedRows:
    """Return the training rows f - mean(own class of f) + mean(class stood for), then of length 1.

    Equation 1 of Petit et al. 2023; not clipped, although features after a ReLU are positive.

    Args:
        features_MD: (M, D) features of the samples of new classes, not normalised.
        labels_M: (M,) the new class of each, from 0 to J-1.
        own_means_JD: (J, D) the means of these features.
        means_KD: (K, D) where the rows of each class are to have their mean.
        rows: which row starts where and stands for what.
        normalise: as in `ShiftedRows`.
    """
    centred_MD = torch.empty_like(features_MD)
    bound = bound_in_cache(None, features_MD.device)
    for part in chunks(len(features_MD), features_MD[:1].nbytes, bound):
        torch.sub(features_MD[part], own_means_JD[labels_M[part]], out=centred_MD[part])
    return ShiftedRows(centred_MD, rows.sample, means_KD, rows.label, normalise=normalise)


def normalised_by_the_script(label_N: Tensor) -> Tensor:
    """Return (N,) which rows the released script normalises: all but its first block of 512.

    Its rows come class by class, the classes sorted as strings in which a digit comes before the
    end of the number: 0, 10, 11, ..., 19, 1, 20, ...
    """
    sizes = torch.bincount(label_N).tolist()
    normalised_N = torch.ones_like(label_N, dtype=torch.bool)
    left = BLOCK
    for label in sorted(range(len(sizes)), key="{}_".format):
        if left <= 0:
            break
        start = sum(sizes[:label])
        normalised_N[start : start + min(left, sizes[label])] = False
        left -= sizes[label]
    return normalised_N


def _repeated(sizes_K: Tensor) -> Tensor:
    return torch.arange(len(sizes_K), device=sizes_K.device).repeat_interleave(sizes_K)
