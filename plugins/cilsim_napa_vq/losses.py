"""The two losses of the quantiser.

Axis letters: B batch, D features, K code vectors.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def squared_distances(features_BD: Tensor, vectors_KD: Tensor) -> Tensor:
    """Return (B, K) squared Euclidean distances by one matrix product, in float32.

    Both sides are moved by the code vectors' mean, so that a common offset costs no digits.
    """
    with torch.autocast(features_BD.device.type, enabled=False):
        centre_D = vectors_KD.detach().mean(0)
        features_BD, vectors_KD = features_BD.float() - centre_D, vectors_KD - centre_D
        squares_BK = features_BD.square().sum(1, keepdim=True) + vectors_KD.square().sum(1)
        return (squares_BK - 2.0 * features_BD @ vectors_KD.T).clamp_min(0.0)


def distance_logits(squared_BK: Tensor) -> Tensor:
    """Return (B, K) minus the Euclidean distance, not squared: logits of the cross-entropy."""
    return -squared_BK.clamp_min(1e-12).sqrt()


def distance_cross_entropy(
    logits_BK: Tensor, labels_B: Tensor, temperature: float, label_smoothing: float = 0.0
) -> Tensor:
    """Return the cross-entropy of softmax(logits / temperature) over all code vectors (DCE)."""
    return F.cross_entropy(logits_BK / temperature, labels_B, label_smoothing=label_smoothing)


def neighbourhood_loss(
    squared_BK: Tensor, labels_B: Tensor, edges_KK: Tensor, softness: float = 0.001
) -> Tensor:
    """Return the mean over rows of max(0, d+ - sum_j u_j d-_j).

    d+ is the squared distance to the label's code vector, d- those to the neighbours of that code
    vector (its other rotations are neighbours like any), u_j = exp(-softness d-_j) normalised and
    taken as constant; rows whose weights all vanish are pulled to their code vector alone.

    Args:
        squared_BK: (B, K) squared distances, from which gradients flow.
        labels_B: (B,) the code vector of each row.
        edges_KK: (K, K) strengths, as `updated_edges` returned them for this batch.
        softness: tau.
    """
    own_B1 = labels_B.unsqueeze(1)
    linked_BK = (edges_KK.index_select(0, labels_B) > 0).scatter(1, own_B1, False)
    kernel_BK = torch.exp(-softness * squared_BK.detach()) * linked_BK
    total_B1 = kernel_BK.sum(1, keepdim=True)
    weights_BK = torch.where(total_B1 > 0, kernel_BK / total_B1, 0.0)
    pull_B = squared_BK.gather(1, own_B1).squeeze(1)
    return (pull_B - (weights_BK * squared_BK).sum(1)).clamp_min(0.0).mean()
