"""ProtoGCD's own terms: dual-level adaptive pseudo-labels and the separation of prototypes.

Rows 0..B-1 are view 1, rows B..2B-1 view 2 of the same images. Axis letters: B images, N = 2B rows,
K classes, D features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BASE_TEMPERATURE = 0.1
"""At which the separation has its plain size; others scale it (released code)."""
FLOOR = 1e-6


def hard_share(epoch: int, first: float, last: float, ramp_epochs: int) -> float:
    """Return the part of rows with one-hot pseudo-labels: linear over the ramp, then `last`.

    Both ends of the ramp are reached, in its first and its last epoch. In between it is a multiple
    of the rounded slope, as the released code has it: int(rows share) depends on the last bit.
    """
    if epoch >= ramp_epochs - 1:
        return last
    return first + epoch * ((last - first) / (ramp_epochs - 1))


def confidence(probabilities_NK: Tensor) -> Tensor:
    """Return (N,) the largest probability over the second largest; 1 for a single class."""
    if probabilities_NK.shape[1] < 2:
        return torch.ones_like(probabilities_NK[:, 0])
    top_N2 = probabilities_NK.topk(2, dim=1).values
    return top_N2[:, 0] / (top_N2[:, 1] + FLOOR)


def adaptive_targets(logits_NK: Tensor, temperature: float, share: float) -> Tensor:
    """Return (N, K) pseudo-labels: one-hot for the surest rows of each view, soft for the others.

    Ma et al. 2025, section 4.2: int(B share) rows of each view count as sure.

    Args:
        logits_NK: cosines of both views; no gradient flows back.
        temperature: of the softmax.
        share: part of the rows with one-hot labels.
    """
    views = []
    for view_BK in F.softmax(logits_NK.detach() / temperature, dim=1).chunk(2):
        sure_S = confidence(view_BK).topk(int(len(view_BK) * share)).indices
        one_hot_SK = F.one_hot(view_BK[sure_S].argmax(1), view_BK.shape[1]).to(view_BK.dtype)
        views.append(view_BK.index_copy(0, sure_S, one_hot_SK))
    return torch.cat(views)


def separation(prototypes_KD: Tensor, temperature: float) -> Tensor:
    """Return how close each prototype is to the others: mean_i log mean_{j != i} exp(cos_ij / t).

    Times t / 0.1, as released. A single prototype has nothing to keep away from: 0.
    """
    classes = len(prototypes_KD)
    if classes < 2:
        return prototypes_KD.sum() * 0.0
    unit_KD = F.normalize(prototypes_KD, dim=1)
    itself_KK = torch.eye(classes, dtype=torch.bool, device=unit_KD.device)
    similarity_KK = (unit_KD @ unit_KD.T / temperature).masked_fill(itself_KK, float("-inf"))
    log_mean_K = torch.logsumexp(similarity_KK, dim=1) - torch.tensor(classes - 1.0).log()
    return temperature / BASE_TEMPERATURE * log_mean_K.mean()
