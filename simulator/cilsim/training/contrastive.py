"""Contrastive losses over two views: rows 0..B-1 are view 1, rows B..2B-1 view 2 of the images.

Axis letters: B images, P size of the projection, N = 2B rows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def info_nce(projections_NP: Tensor, temperature: float = 1.0) -> Tensor:
    """Return the contrastive loss without labels: each row must find the other view of its image.

    Mean over rows of the cross-entropy over the N - 1 other rows of cosine / temperature, the
    other view being the target (van den Oord et al. 2018; as in Vaze et al. 2022, equation 1,
    whose code uses temperature 1).

    Args:
        projections_NP: need not be normalised.
        temperature: of the cosines.
    """
    similarity_NN = _similarities(projections_NP, temperature)
    rows = len(similarity_NN)
    itself_NN = torch.eye(rows, dtype=torch.bool, device=similarity_NN.device)
    other_view_N = torch.arange(rows, device=similarity_NN.device).roll(rows // 2)
    return F.cross_entropy(similarity_NN.masked_fill(itself_NN, float("-inf")), other_view_N)


def supervised_contrastive(
    projections_NP: Tensor, labels_B: Tensor, temperature: float = 0.07
) -> Tensor:
    """Return the contrastive loss with labels: rows of a class must find each other.

    For each row of a labelled image, minus the mean over the other rows of its class of the
    log-softmax over all other labelled rows; mean over these rows (Khosla et al. 2020, L_out;
    Vaze et al. 2022, equation 2). Images without a label (negative) take no part; with none
    labelled the loss is 0.

    Args:
        projections_NP: both views of all images; need not be normalised.
        labels_B: one per image, negative where it is not known.
        temperature: of the cosines.
    """
    labels_N = torch.cat([labels_B, labels_B])
    similarity_NN = _similarities(projections_NP, temperature)
    # rows without a label are masked rather than cut out, so that no shape depends on the data
    known_N = labels_N >= 0
    itself_NN = torch.eye(len(labels_N), dtype=torch.bool, device=similarity_NN.device)
    against_NN = known_N[None, :] & ~itself_NN
    log_share_NN = similarity_NN - torch.logsumexp(
        similarity_NN.masked_fill(~against_NN, -1e9), dim=1, keepdim=True
    )
    positive_NN = (labels_N[:, None] == labels_N[None, :]) & against_NN & known_N[:, None]
    mean_N = (log_share_NN * positive_NN).sum(1) / positive_NN.sum(1).clamp_min(1)
    return -mean_N.sum() / known_N.sum().clamp_min(1)


def _similarities(projections_NP: Tensor, temperature: float) -> Tensor:
    """Return (N, N) cosines / temperature, whatever autocast says in float32 or float64.

    Half precision is too coarse for a cosine over 0.07, and fp16 has no room for what is masked.
    """
    with torch.autocast(projections_NP.device.type, enabled=False):
        wide = torch.promote_types(projections_NP.dtype, torch.float32)
        unit_NP = F.normalize(projections_NP.to(wide), dim=1)
        return unit_NP @ unit_NP.T / temperature
