"""A step of the quantiser: features into the graph, and its two losses out of it.

Axis letters: B batch, D features, K code vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cilsim_napa_vq.codebook import Codebook
from cilsim_napa_vq.graph import GraphRule
from cilsim_napa_vq.losses import (
    distance_cross_entropy,
    distance_logits,
    neighbourhood_loss,
    squared_distances,
)
from cilsim_napa_vq.options import NapaVqOptions


@dataclass(frozen=True)
class Quantised:
    """What a batch gave.

    Attributes:
        classes: cross-entropy over distances (DCE).
        neighbourhood: neighbourhood loss.
        logits: (B, K) minus distances.
    """

    classes: Tensor
    neighbourhood: Tensor
    logits: Tensor


def quantise(
    codebook: Codebook,
    features_BD: Tensor,
    labels_B: Tensor,
    options: NapaVqOptions,
    label_smoothing: float = 0.0,
) -> Quantised:
    """Take a batch into the codebook's graph and return its losses.

    Args:
        codebook: its edges are changed.
        features_BD: (B, D) features or prototypes.
        labels_B: (B,) the code vector of each.
        options: the strategy's.
        label_smoothing: of the cross-entropy.
    """
    rule = GraphRule(options.neighbours, options.edge_decay, options.edge_lifetime)
    squared_BK = squared_distances(features_BD, codebook.vectors)
    edges_KK = codebook.observe(squared_BK, rule)
    logits_BK = distance_logits(squared_BK)
    return Quantised(
        distance_cross_entropy(logits_BK, labels_B, options.temperature, label_smoothing),
        neighbourhood_loss(squared_BK, labels_B, edges_KK, options.neighbour_softness),
        logits_BK,
    )
