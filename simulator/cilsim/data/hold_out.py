"""Which samples of a group are for testing, where nothing says so: the same on every machine."""

from __future__ import annotations

import numpy as np

from cilsim.seeding import derive_seed


def held_out(count: int, fraction: float, *group: int | str) -> set[int]:
    """Return the positions of a group's samples that are for testing, at least one of two.

    Args:
        count: number of samples of the group; a single one is for training.
        fraction: part of them that is for testing.
        group: names the group and alone decides the draw.
    """
    held = min(max(int(count * fraction + 0.5), 1), count - 1)
    seed = derive_seed("image_folder", "split", *group)
    return set(np.random.default_rng(seed).permutation(count)[:held].tolist())
