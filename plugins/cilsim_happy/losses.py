"""The terms of Happy's loss.

Logits are cosines in [-1, 1]. Rows 0..B-1 are view 1, rows B..2B-1 view 2 of the same images. Axis
letters: B images, N = 2B rows, K classes, P size of the projection.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cilsim import TrainingLoss
from cilsim.training.contrastive import info_nce, supervised_contrastive
from cilsim.training.self_distillation import (
    classification,
    entropy_gap,
    mean_probabilities,
    swapped_distillation,
    teacher_temperature,
)
from cilsim_happy.entropies import group_entropies
from cilsim_happy.options import HappyOptions

Terms = dict[str, tuple[float, Tensor]]
"""Weight and value of each term."""


@dataclass(frozen=True)
class Stage:
    """What the loss has to know about a stage.

    Attributes:
        seen: how many classes were told apart before it.
        labelled: whether some samples have labels.
        unlabelled: whether some have none.
        only_new: whether no sample is of a seen class, and this is known.
    """

    seen: int
    labelled: bool
    unlabelled: bool
    only_new: bool


def first_stage_terms(
    logits_NK: Tensor,
    projections_NP: Tensor,
    labels_B: Tensor,
    epoch: int,
    stage: Stage,
    options: HappyOptions,
) -> Terms:
    """Return the terms of stage 0: SimGCD's, or the three of the paper.

    Args:
        logits_NK: cosines.
        projections_NP: for the contrastive losses.
        labels_B: `NO_LABEL` where there is none.
        epoch: of the training, from 0.
        stage: whether something has no label.
        options: weights and temperatures.
    """
    weight = options.supervised_weight
    contrastive = info_nce(projections_NP, options.contrastive_temperature)
    terms = {"contrastive": (1.0 - weight, contrastive)}
    terms |= _supervised(logits_NK, projections_NP, labels_B, options)
    if options.first_stage_loss == "paper" and not stage.unlabelled:
        return terms | {"classification": (1.0, terms["classification"][1])}
    teacher = teacher_temperature(
        epoch, options.teacher_start, options.teacher_end, options.teacher_warmup_epochs
    )
    distilled = swapped_distillation(logits_NK, teacher, options.temperature)
    entropy = entropy_gap(mean_probabilities(logits_NK, options.temperature))
    terms["self_training"] = (1.0 - weight, distilled)
    terms["entropy"] = ((1.0 - weight) * options.first_stage_entropy_weight, entropy)
    return terms


def later_stage_terms(
    logits_NK: Tensor,
    projections_NP: Tensor,
    labels_B: Tensor,
    stage: Stage,
    options: HappyOptions,
) -> Terms:
    """Return the terms after stage 0 that the batch gives (Ma et al. 2024).

    Without labels these are self-training, three entropies and the contrastive loss. Where a
    stage has labels, which the paper does not know, they have the share that they have in stage 0.
    """
    unsupervised = 1.0 - options.supervised_weight if stage.labelled else 1.0
    groups = group_entropies(
        mean_probabilities(logits_NK, options.temperature), stage.seen, only_new=stage.only_new
    )
    distilled = swapped_distillation(logits_NK, options.teacher_temperature, options.temperature)
    contrastive = info_nce(projections_NP, options.contrastive_temperature)
    terms = {
        "self_training": (unsupervised * options.self_training_weight, distilled),
        "contrastive": (unsupervised * options.contrastive_weight, contrastive),
    }
    for name, value in groups.items():
        terms[f"entropy_{name}"] = (
            unsupervised * float(getattr(options, f"entropy_{name}_weight")),
            value,
        )
    if stage.labelled:
        terms |= _supervised(logits_NK, projections_NP, labels_B, options)
    return terms


def summed(terms: Terms) -> TrainingLoss:
    """Return the weighted sum, with every term beside it."""
    total = torch.stack([weight * value for weight, value in terms.values()]).sum()
    return TrainingLoss(total, parts={name: value for name, (_, value) in terms.items()})


def _supervised(
    logits_NK: Tensor, projections_NP: Tensor, labels_B: Tensor, options: HappyOptions
) -> Terms:
    weight = options.supervised_weight
    contrastive = supervised_contrastive(projections_NP, labels_B, options.supervised_temperature)
    return {
        "classification": (weight, classification(logits_NK / options.temperature, labels_B)),
        "supervised_contrastive": (weight, contrastive),
    }
