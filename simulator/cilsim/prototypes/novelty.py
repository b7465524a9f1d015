"""Which cluster centres stand for classes that are not known yet.

Axis letters: M clusters, K known classes, D features.
"""

from __future__ import annotations

from torch import Tensor

from cilsim.prototypes.scores import cosine_scores


def least_like(centres_MD: Tensor, known_KD: Tensor, count: int) -> Tensor:
    """Return the `count` centres whose largest cosine to a known row is smallest, that one first.

    Ma et al. 2024 (Happy, clustering-guided initialisation).

    Args:
        centres_MD: cluster centres, of any length.
        known_KD: rows or prototypes of known classes.
        count: how many to return; all where there are fewer.
    """
    likeness_M = cosine_scores(centres_MD, known_KD).amax(1)
    return centres_MD[likeness_M.argsort(stable=True)[:count]]
