"""Prototypes that lean towards a neighbour: what old classes are in the loss (NA-PA).

Axis letters: B drawn prototypes, K code vectors, D features.
"""

from __future__ import annotations

from torch import Tensor

from cilsim_napa_vq.codebook import Codebook


def mixed_prototypes(
    prototypes_KD: Tensor, vector_B: Tensor, neighbour_B: Tensor, share_B: Tensor
) -> Tensor:
    """Return (B, D) share * P[vector] + (1 - share) * P[neighbour] (NA-PA).

    Args:
        prototypes_KD: (K, D) mean features per class and rotation.
        vector_B: (B,) whom the mixture stands for.
        neighbour_B: (B,) whom it leans towards.
        share_B: (B,) in [0.5, 1).
    """
    share_B1 = share_B.unsqueeze(1)
    own_BD, other_BD = prototypes_KD[vector_B], prototypes_KD[neighbour_B]
    return share_B1 * own_BD + (1.0 - share_B1) * other_BD


def drawn_prototypes(
    codebook: Codebook,
    prototypes_KD: Tensor,
    uniform_3B: Tensor,
    *,
    old_classes: int,
    rotations: int,
    choice: str,
) -> tuple[Tensor, Tensor]:
    """Return (B, D) mixed prototypes and (B,) the code vectors of old classes they stand for.

    The class is uniform over the old ones, in rotation 0; the neighbour is uniform over those in
    the graph; the share of the class is uniform in [0.5, 1).

    Args:
        codebook: its graph gives the neighbours.
        prototypes_KD: (K, D) mean features per class and rotation.
        uniform_3B: (3, B) draws in [0, 1), on the same device.
        old_classes: how many there are.
        rotations: code vectors per class.
        choice: see `Codebook.pick_neighbours`.
    """
    class_B, fraction_B, share_B = uniform_3B
    vector_B = rotations * (class_B * old_classes).long()
    neighbour_B = codebook.pick_neighbours(vector_B, fraction_B, choice)
    share_B = 0.5 + 0.5 * share_B
    return mixed_prototypes(prototypes_KD, vector_B, neighbour_B, share_B), vector_B
