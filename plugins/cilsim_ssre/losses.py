"""The losses of SSRE.

Axis letters: B batch, D features, K classes seen, O old classes.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def resemblance(features_BD: Tensor, prototypes_OD: Tensor) -> Tensor:
    """Return (B,) the largest cosine of each feature with a prototype of an old class."""
    unit_BD, unit_OD = F.normalize(features_BD.float()), F.normalize(prototypes_OD)
    return (unit_BD.unsqueeze(1) * unit_OD).sum(2).amax(1)


def selected_cross_entropy(
    logits_BK: Tensor,
    labels_B: Tensor,
    kept_B: Tensor,
    temperature: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return mean_i (1 - s_i) CE_i(logits / temperature): what does not resemble an old class.

    Args:
        logits_BK: (B, K) logits.
        labels_B: (B,) labels.
        kept_B: (B,) the weights s.
        temperature: divides the logits.
        label_smoothing: of the cross-entropy.
    """
    terms_B = F.cross_entropy(
        logits_BK / temperature, labels_B, reduction="none", label_smoothing=label_smoothing
    )
    return ((1.0 - kept_B) * terms_B).mean()


def selected_distance(features_BD: Tensor, old_BD: Tensor, kept_B: Tensor) -> Tensor:
    """Return sum_i s_i |f_i - f_old_i|, a sum over the batch: what resembles an old class.

    Args:
        features_BD: (B, D) features of the network that is trained.
        old_BD: (B, D) features of the frozen one.
        kept_B: (B,) the weights s.
    """
    distances_B: Tensor = (features_BD.float() - old_BD.float()).norm(dim=1)
    return (kept_B * distances_B).sum()
