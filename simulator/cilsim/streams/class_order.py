"""The order in which the classes of a data set enter the stream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def natural_order(class_ids: Sequence[int]) -> tuple[int, ...]:
    """Return the class ids ascending, as the few-shot papers use them."""
    return tuple(sorted(class_ids))


def seeded_order(class_ids: Sequence[int], seed: int) -> tuple[int, ...]:
    """Return the class ids shuffled as the field does it.

    `numpy.random.RandomState(seed).permutation(n)` over the ascending ids; seed 1993 gives the
    order of iCaRL and of the tables that followed it (Rebuffi et al. 2017).
    """
    ascending = sorted(class_ids)
    places = np.random.RandomState(seed).permutation(len(ascending))
    return tuple(ascending[place] for place in places.tolist())
