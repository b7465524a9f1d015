"""What a batch of a stage gives to FRoST's loss.

Rows 0..B-1 are view 1, rows B..2B-1 view 2 of the same images. Axis letters: B images, N = 2B
rows, D features, K classes told apart.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cilsim import Batch, TrainingLoss
from cilsim.data.samples import NO_LABEL
from cilsim.scenario.recipe import Recipe
from cilsim_frost.losses import (
    consistency,
    flattened_distance,
    masked_mean,
    pairwise_loss,
    ramp,
    same_largest,
    self_training,
)
from cilsim_frost.options import FrostOptions
from cilsim_frost.stage import Stage
from cilsim_frost.statistics import draw

Terms = dict[str, tuple[float, Tensor]]
"""Weight and value of each term."""


def discovery_terms(
    stage: Stage,
    features_ND: Tensor,
    joint_BK: Tensor,
    batch: Batch,
    recipe: Recipe,
    options: FrostOptions,
) -> Terms:
    """Return what finds the novel clusters and teaches them to the joint head.

    Roy et al. 2022: pairwise binary cross-entropy, consistency of two views, self-training; the
    last two rise over the training.

    Args:
        stage: the novel head, and which samples it learns from.
        features_ND: of both views.
        joint_BK: logits of the joint head for view 1.
        batch: says which samples, and when.
        recipe: of the training, for its number of epochs.
        options: weights.
    """
    if stage.novel_head is None:
        return {}
    counts_B = stage.counts[batch.position]
    probabilities_NC = stage.novel_head(features_ND).softmax(1)
    first_BC, second_BC = probabilities_NC.chunk(2)
    same_BB = same_largest(features_ND[: len(first_BC)], options.top_k)
    rise = ramp(batch.epoch, options.ramp_epochs or recipe.epochs)
    return {
        "pairs": (1.0, pairwise_loss(first_BC, second_BC, same_BB, counts_B)),
        "consistency": (
            rise * options.consistency_weight,
            consistency(first_BC, second_BC, counts_B),
        ),
        "self_training": (
            rise * options.self_training_weight,
            self_training(joint_BK, first_BC, stage.known, counts_B),
        ),
    }


def labelled_terms(stage: Stage, joint_BK: Tensor, labels_B: Tensor) -> Terms:
    """Return the joint head's cross-entropy of labelled samples, which the paper has none of."""
    if not stage.labelled:
        return {}
    loss_B = F.cross_entropy(joint_BK, labels_B, ignore_index=NO_LABEL, reduction="none")
    return {"labelled": (1.0, masked_mean(loss_B, labels_B != NO_LABEL))}


def held_terms(
    stage: Stage,
    view_BD: Tensor,
    batch: Batch,
    head: nn.Module,
    generator: torch.Generator,
    options: FrostOptions,
) -> Terms:
    """Return the two terms against forgetting: replay of earlier classes, feature distillation.

    Args:
        stage: the classes to replay, and the backbone before.
        view_BD: features of view 1.
        batch: its images.
        head: the joint head.
        generator: CPU generator, fresh for the step.
        options: weights.
    """
    terms: Terms = {}
    if options.replay_samples and options.replay_weight:
        drawn_MD, row_M = draw(stage.means, stage.spread, options.replay_samples, generator)
        replayed = F.cross_entropy(head(drawn_MD), stage.classes[row_M])
        terms["replay"] = (options.replay_weight, replayed)
    if stage.before is not None:
        with torch.no_grad():
            before_BD = stage.before(batch.x[: len(view_BD)])
        value = flattened_distance(view_BD, before_BD)
        terms["distillation"] = (options.distillation_weight, value)
    return terms


def summed(terms: Terms) -> TrainingLoss:
    """Return the weighted sum, with every term beside it."""
    total = torch.stack([weight * value for weight, value in terms.values()]).sum()
    return TrainingLoss(total, parts={name: value for name, (_, value) in terms.items()})
