"""Confusion counts of many classes, summed over blocks of consecutive labels.

Axis letters: K classes seen, G blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cilsim.records import IntArray

MOST_SIDES = 360
"""Blocks on a side; more than that is finer than the pixels of a picture."""


@dataclass(frozen=True)
class Blocks:
    """Counts over blocks.

    Attributes:
        counts: (G, G), rows are true labels, columns predicted ones.
        each: how many consecutive labels a block has; the last one may have fewer.
    """

    counts: IntArray
    each: int


def in_blocks(confusion_KK: IntArray, most_cells: int | None = None) -> Blocks:
    """Return the counts over the smallest blocks that keep within what can be drawn.

    Args:
        confusion_KK: rows are true labels, columns predicted ones.
        most_cells: how many counts may differ from zero; None for any number.
    """
    each = max(1, -(-len(confusion_KK) // MOST_SIDES))
    counts_GG = _summed(confusion_KK, each)
    while most_cells is not None and np.count_nonzero(counts_GG) > max(most_cells, 1):
        counts_GG = _summed(counts_GG, 2)
        each *= 2
    return Blocks(counts_GG, each)


def _summed(counts_KK: IntArray, each: int) -> IntArray:
    if each == 1:
        return counts_KK
    starts = np.arange(0, len(counts_KK), each)
    summed: IntArray = np.add.reduceat(np.add.reduceat(counts_KK, starts, 0), starts, 1)
    return summed
