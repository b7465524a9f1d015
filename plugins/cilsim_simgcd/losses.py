"""SimGCD's loss.

Rows 0..B-1 are view 1, rows B..2B-1 view 2 of the same images. Axis letters: B images, N = 2B rows,
K classes, P size of the projection.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from cilsim.training.contrastive import info_nce, supervised_contrastive
from cilsim.training.self_distillation import (
    classification,
    entropy_gap,
    mean_probabilities,
    swapped_distillation,
    teacher_temperature,
)
from cilsim_simgcd.options import SimGCDOptions


def simgcd_loss(
    logits_NK: Tensor, projections_NP: Tensor, labels_B: Tensor, epoch: int, options: SimGCDOptions
) -> tuple[Tensor, Mapping[str, Tensor]]:
    """Return the total and its five terms by name.

    Wen et al. 2023, equations 3 to 5, as released: (1 - w) (distillation + e (log K - H) +
    contrastive) + w (cross-entropy + supervised contrastive).

    Args:
        logits_NK: cosines.
        projections_NP: for the contrastive losses.
        labels_B: `NO_LABEL` where there is none.
        epoch: of the training, from 0.
        options: weights and temperatures.
    """
    teacher = teacher_temperature(
        epoch, options.teacher_start, options.teacher_end, options.teacher_warmup_epochs
    )
    parts = {
        "distillation": swapped_distillation(logits_NK, teacher, options.temperature),
        "entropy": entropy_gap(mean_probabilities(logits_NK, options.temperature)),
        "contrastive": info_nce(projections_NP, options.contrastive_temperature),
        "classification": classification(logits_NK / options.temperature, labels_B),
        "supervised_contrastive": supervised_contrastive(
            projections_NP, labels_B, options.supervised_temperature
        ),
    }
    unsupervised = (
        parts["distillation"] + options.entropy_weight * parts["entropy"] + parts["contrastive"]
    )
    supervised = parts["classification"] + parts["supervised_contrastive"]
    weight = options.supervised_weight
    return (1.0 - weight) * unsupervised + weight * supervised, parts
