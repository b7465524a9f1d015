"""The formula of TEEN.

Axis letters: K_new, K_base classes, D features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

NORM_FLOOR = 1e-12


def calibrate(
    new_KD: Tensor, base_KD: Tensor, *, calibration_weight: float, similarity_scale: float
) -> Tensor:
    """Return new prototypes mixed with a similarity-weighted mixture of base prototypes.

    With u(v) = v / max(|v|, 1e-12), q = u(new), b_i = u(base_i) and w = softmax_i(scale q.b_i):
    (1 - weight) q + weight u(sum_i w_i b_i), not normalised again. Wang et al. 2023, section 4
    and released `soft_calibration`, whose three normalisations the paper's equations leave out.

    Args:
        new_KD: (K_new, D) raw means of the new classes.
        base_KD: (K_base, D) raw means of the classes of experience 0, never of later ones.
        calibration_weight: weight of the base mixture, in [0, 1].
        similarity_scale: factor on the cosine before the softmax.

    Returns:
        (K_new, D), norm at most 1.
    """
    new_unit = F.normalize(new_KD, eps=NORM_FLOOR)
    base_unit = F.normalize(base_KD, eps=NORM_FLOOR)
    weights = torch.softmax(similarity_scale * new_unit @ base_unit.T, dim=1)  # (K_new, K_base)
    mixture = F.normalize(weights @ base_unit, eps=NORM_FLOOR)
    return (1.0 - calibration_weight) * new_unit + calibration_weight * mixture
