"""Learning from one's own predictions: two views teach each other, and no class may be left out.

Logits are cosines in [-1, 1] of two views, stacked: rows 0..B-1 are view 1, rows B..2B-1 view 2.
Axis letters: B images, N = 2B rows, K classes.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.data.samples import NO_LABEL

STUDENT_TEMPERATURE = 0.1
"""What cosines are divided by before a softmax (SimGCD, Happy, ProtoGCD, FRoST's successors)."""


def swapped_cross_entropy(
    logits_NK: Tensor, targets_NK: Tensor, temperature: float = STUDENT_TEMPERATURE
) -> Tensor:
    """Return the cross-entropy of each view with the other view's targets, mean over both.

    Args:
        logits_NK: cosines of both views.
        targets_NK: probabilities of both views; no gradient flows into them.
        temperature: of the student.
    """
    targets_NK = targets_NK.detach().roll(len(targets_NK) // 2, dims=0)
    return F.cross_entropy(logits_NK / temperature, targets_NK)


def swapped_distillation(
    logits_NK: Tensor, teacher_temperature: float, temperature: float = STUDENT_TEMPERATURE
) -> Tensor:
    """Return the swapped cross-entropy with the sharpened own predictions as targets.

    Wen et al. 2023 (SimGCD), equation 3: the teacher is the same network at a lower temperature.
    """
    targets_NK = F.softmax(logits_NK.detach() / teacher_temperature, dim=1)
    return swapped_cross_entropy(logits_NK, targets_NK, temperature)


def teacher_temperature(
    epoch: int, start: float = 0.07, end: float = 0.04, warmup_epochs: int = 30
) -> float:
    """Return the teacher's temperature: from `start` to `end` over the first epochs, then `end`.

    Linear over `warmup_epochs` epochs, both ends among them (SimGCD's released code).
    """
    if epoch >= warmup_epochs or warmup_epochs < 2:
        return end
    return start + (end - start) * epoch / (warmup_epochs - 1)


def mean_probabilities(logits_NK: Tensor, temperature: float = STUDENT_TEMPERATURE) -> Tensor:
    """Return (K,) the mean over all rows of the softmax of logits / temperature."""
    return F.softmax(logits_NK / temperature, dim=1).mean(0)


def entropy_gap(probabilities_K: Tensor) -> Tensor:
    """Return log K - H(p): how far a distribution is from uniform, 0 where it is.

    Minimising it over the mean prediction keeps classes in use (SimGCD's mean-entropy
    maximisation, whose sign in print confuses; Assran et al. 2022).
    """
    floor = torch.finfo(probabilities_K.dtype).tiny
    negative_entropy = (probabilities_K * probabilities_K.clamp_min(floor).log()).sum()
    return negative_entropy + math.log(len(probabilities_K))


def classification(logits_NK: Tensor, labels_B: Tensor) -> Tensor:
    """Return the cross-entropy of both views of labelled images; 0 where there are none.

    Args:
        logits_NK: of both views, divided by their temperature.
        labels_B: one per image, `NO_LABEL` where there is none.
    """
    labels_N = torch.cat([labels_B, labels_B])
    summed = F.cross_entropy(logits_NK, labels_N, ignore_index=NO_LABEL, reduction="sum")
    return summed / (labels_N != NO_LABEL).sum().clamp_min(1)
