"""Where the rows of new classes start.

Axis letters: M clusters, L labelled new classes, K classes before, D features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.prototypes.novelty import least_like


@torch.no_grad()
def start_rows_from_centres(rows_KD: Tensor, seen: int, novel: int, centres_MD: Tensor) -> None:
    """Put the last `novel` rows at the centres that seen rows explain least (Ma et al. 2024).

    They get the direction of a centre and the mean length of the rows as they were drawn, which
    leaves scores as they are and sets how fast the rows turn. With fewer centres than novel
    classes the last rows stay as drawn.

    Args:
        rows_KD: rows of the classifier, written in place.
        seen: how many of the first rows were trained before.
        novel: how many of the last rows are for classes to discover.
        centres_MD: centres of clusters of unit features.
    """
    fresh_KD = rows_KD[len(rows_KD) - novel :]
    chosen_KD = F.normalize(least_like(F.normalize(centres_MD), rows_KD[:seen], novel))
    fresh_KD[: len(chosen_KD)] = chosen_KD * fresh_KD.norm(dim=1).mean()


@torch.no_grad()
def start_rows_from_means(rows_KD: Tensor, first: int, means_LD: Tensor) -> None:
    """Put the rows of labelled classes at the means of their unit features, lengths as above.

    Args:
        rows_KD: rows of the classifier, written in place.
        first: row of the first of these classes.
        means_LD: their means.
    """
    fresh_LD = rows_KD[first : first + len(means_LD)]
    fresh_LD.copy_(F.normalize(means_LD) * fresh_LD.norm(dim=1).mean())
