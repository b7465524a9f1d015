"""The terms of FRoST's loss.

Axis letters: B images, M drawn features, D features, C novel clusters, K classes told apart.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

PROBABILITY_FLOOR = 1e-7
"""Added to probabilities before their logarithm (released code)."""


def ramp(epoch: int, epochs: int) -> float:
    """Return exp(-5 (1 - e / L)^2), 1 from epoch L on (Laine and Aila 2017).

    Args:
        epoch: e, from 0.
        epochs: L, at least 1.
    """
    return math.exp(-5.0 * (1.0 - min(epoch, epochs) / epochs) ** 2)


def same_largest(features_BD: Tensor, top_k: int) -> Tensor:
    """Return (B, B) bool: whether the `top_k` largest features of two images are the same ones.

    Rank statistics (Han et al. 2020): their order does not count. Of equal features, many of
    which are 0 after a ReLU, the first ones are the larger.

    Args:
        features_BD: no gradient flows into them.
        top_k: all features where there are fewer.
    """
    features_BD = features_BD.detach()
    count = min(top_k, features_BD.shape[1])
    order_BD = features_BD.argsort(dim=1, descending=True, stable=True)
    chosen_BD = torch.zeros_like(features_BD, dtype=torch.float32)
    chosen_BD.scatter_(1, order_BD[:, :count], 1.0)
    with torch.autocast(features_BD.device.type, enabled=False):
        return chosen_BD @ chosen_BD.T > count - 0.5


def pairwise_loss(first_BC: Tensor, second_BC: Tensor, same_BB: Tensor, counts_B: Tensor) -> Tensor:
    """Return the binary cross-entropy of being in one cluster, mean over all ordered pairs.

    Image i in view 1 and image j in view 2 are in one cluster with probability p_i . q_j.

    Args:
        first_BC: probabilities p of view 1.
        second_BC: probabilities q of view 2.
        same_BB: which pairs belong together.
        counts_B: bool, which images take part; with none the loss is 0.
    """
    with torch.autocast(first_BC.device.type, enabled=False):
        together_BB = first_BC.float() @ second_BC.float().T
    # 1 - p . q may be below 0 by rounding, further than the floor lifts it
    right_BB = torch.where(same_BB, together_BB, (1.0 - together_BB).clamp_min(0.0))
    loss_BB = -(right_BB + PROBABILITY_FLOOR).log()
    return masked_mean(loss_BB, counts_B[:, None] & counts_B[None, :])


def consistency(first_BC: Tensor, second_BC: Tensor, counts_B: Tensor) -> Tensor:
    """Return the mean squared difference of the probabilities of two views of each image."""
    return masked_mean((first_BC - second_BC).square().mean(1), counts_B)


def self_training(joint_BK: Tensor, novel_BC: Tensor, known: int, counts_B: Tensor) -> Tensor:
    """Return the joint head's cross-entropy with the clusters of the novel head.

    Args:
        joint_BK: logits of the joint head.
        novel_BC: logits of the novel head, or its probabilities.
        known: which output of the joint head stands for cluster 0.
        counts_B: bool, which images take part; with none the loss is 0.
    """
    target_B = novel_BC.argmax(1) + known
    return masked_mean(F.cross_entropy(joint_BK, target_B, reduction="none"), counts_B)


def flattened_distance(features_BD: Tensor, before_BD: Tensor) -> Tensor:
    """Return the distance of two whole batches of features, each as one vector of length 1.

    That is what the released code computes; it is not a mean over images.

    Args:
        features_BD: of the model that is trained.
        before_BD: of the model before.
    """
    now, before = (F.normalize(part.float().flatten(), dim=0) for part in (features_BD, before_BD))
    distance: Tensor = (now - before).norm()
    return distance


def masked_mean(values: Tensor, counts: Tensor) -> Tensor:
    """Return the mean of the values that count, 0 where none does."""
    return (values * counts).sum() / counts.sum().clamp_min(1)
