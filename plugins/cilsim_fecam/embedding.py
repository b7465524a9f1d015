"""How FeCAM transforms features and means before it compares them.

Axis letters: N samples or rows, D features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.prototypes.scores import NORM_FLOOR
from cilsim_fecam.options import FecamOptions


def prepared(features_ND: Tensor, options: FecamOptions) -> Tensor:
    """Return (N, D) features as they are averaged: raw, or of unit length."""
    return F.normalize(features_ND, eps=NORM_FLOOR) if options.unit_features else features_ND


def tukey(rows_ND: Tensor, power: float) -> Tensor:
    """Return rows^power, elementwise; rows must not be negative unless the power is 1."""
    return rows_ND if power == 1.0 else torch.pow(rows_ND, power)


def compared(rows_ND: Tensor, options: FecamOptions) -> Tensor:
    """Return (N, D) prepared features or means as they are subtracted from each other."""
    transformed_ND = tukey(rows_ND, options.tukey_power)
    if not options.compare_unit_vectors:
        return transformed_ND
    return F.normalize(transformed_ND, eps=NORM_FLOOR)
