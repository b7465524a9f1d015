"""The losses of iCaRL and of its descendants in PyCIL and FACIL.

Axis letters: B batch, K classes seen, O old classes.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def binary_classification(
    logits_BK: Tensor, labels_B: Tensor, old: int = 0, label_smoothing: float = 0.0
) -> Tensor:
    """Return the binary cross-entropy of new outputs against labels: sum over outputs, mean over B.

    A sample of an old class has target 0 at every new output (Rebuffi et al. 2017, algorithm 3,
    first sum).

    Args:
        logits_BK: (B, K) logits.
        labels_B: (B,) labels.
        old: number of old classes, whose outputs have no part in it.
        label_smoothing: e; targets are (1 - e) y + e / K, as in a cross-entropy.
    """
    classes = logits_BK.shape[1]
    targets_BK = F.one_hot(labels_B, classes).to(logits_BK.dtype)
    targets_BK = (1.0 - label_smoothing) * targets_BK + label_smoothing / classes
    return _binary(logits_BK[:, old:], targets_BK[:, old:])


def binary_distillation(logits_BO: Tensor, old_BO: Tensor) -> Tensor:
    """Return the binary cross-entropy of old outputs against the sigmoids of the old network's.

    Sum over outputs, mean over B (Rebuffi et al. 2017, algorithm 3, second sum; FACIL's term).

    Args:
        logits_BO: (B, O) logits of old classes.
        old_BO: (B, O) logits that the old network gives.
    """
    return _binary(logits_BO, old_BO.to(logits_BO.dtype).sigmoid())


def softmax_distillation(logits_BO: Tensor, old_BO: Tensor, temperature: float) -> Tensor:
    """Return the cross-entropy of softmax(logits / T) against softmax(old / T), mean over B.

    Not multiplied by T squared (PyCIL).

    Args:
        logits_BO: (B, O) logits of old classes.
        old_BO: (B, O) logits that the old network gives.
        temperature: T.
    """
    soft_BO = (old_BO.to(logits_BO.dtype) / temperature).softmax(1)
    return F.cross_entropy(logits_BO / temperature, soft_BO)


def _binary(logits: Tensor, targets: Tensor) -> Tensor:
    total = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
    return total / len(logits)
