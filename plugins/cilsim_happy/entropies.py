"""Keeping the mean prediction even between and within groups of classes.

Axis letters: K classes.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from cilsim.training.self_distillation import entropy_gap


def group_entropies(
    probabilities_K: Tensor, seen: int, *, only_new: bool = False
) -> Mapping[str, Tensor]:
    """Return how far a mean prediction is from even: `between` groups, among `seen`, among `new`.

    Each is log(size) - entropy, 0 where even, and 0 for a group of one class or none. Where every
    sample is known to be of a new class, an even share of seen and new classes would be wrong:
    `between` is then -log(share of new classes) and `seen` 0.

    Args:
        probabilities_K: mean over a batch.
        seen: the first so many classes are the seen ones.
        only_new: see above.
    """
    old, new = probabilities_K[:seen], probabilities_K[seen:]
    zero = probabilities_K.new_zeros(())
    floor = torch.finfo(probabilities_K.dtype).tiny
    between = zero
    if len(old) and len(new):
        shares = torch.stack([old.sum(), new.sum()])
        between = -new.sum().clamp_min(floor).log() if only_new else entropy_gap(shares)
    within = [
        entropy_gap(group / group.sum().clamp_min(floor)) if len(group) > 1 else zero
        for group in (old, new)
    ]
    return {"between": between, "seen": zero if only_new else within[0], "new": within[1]}
