"""The linear classifiers that FeTrIL trains on its rows, from scratch in every experience.

Axis letters: B batch, N training rows, D features, K classes seen.
"""

from __future__ import annotations

import logging

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim import Batch, Context, TrainingLoss
from cilsim.data.samples import Samples
from cilsim.solvers.design_rows import ShiftedRows
from cilsim.training.head import Head

logger = logging.getLogger(__name__)


def fit_svm(
    context: Context, rows: ShiftedRows, labels_N: Tensor, *, c: float, tolerance: float
) -> tuple[Tensor, Tensor]:
    """Return (K, D) weights and (K,) biases of the one-vs-rest SVM; log how exact it is."""
    svm = context.fit_linear_svm(rows, labels_N, context.seen_classes, c=c, tolerance=tolerance)
    worst = float(svm.gradient.max())
    context.log("svm_gradient", worst)
    if worst > tolerance:
        logger.warning(
            "experience %d: the SVM stands at gradient %.1e after %d Newton steps, "
            "svm_tolerance is %.1e; a smaller 'svm_c' may help",
            context.experience_index, worst, svm.iterations, tolerance,
        )  # fmt: skip
    return svm.weight, svm.bias


def fit_linear(context: Context, rows: ShiftedRows, labels_N: Tensor) -> tuple[Tensor, Tensor]:
    """Return (K, D) weights and (K,) biases trained by cross-entropy, the `training` recipe."""
    count, size = rows.shape
    head = Head(size, context.seen_classes).to(rows.like.device)
    head.open(context.seen_classes, context.generator("classifier"))
    assert head.bias is not None  # linear heads have one

    def loss(batch: Batch) -> TrainingLoss:
        assert batch.labels is not None  # set below
        smoothing = context.recipe.label_smoothing
        logits_BK = head(rows.rows(batch.position))
        total = F.cross_entropy(logits_BK, batch.labels, label_smoothing=smoothing)
        return TrainingLoss(total, logits=logits_BK)

    # No columns: a batch is its positions, from which the loss makes the rows that it needs.
    samples = Samples(rows.like.new_empty(count, 0), labels_N, torch.arange(count), "", (), ())
    context.fit(samples, modules={"classifier": head}, loss=loss)
    return head.weight.detach(), head.bias.detach()
