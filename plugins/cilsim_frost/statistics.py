"""What is kept of a class: mean and standard deviation of its features, and draws from them.

Axis letters: N samples, M draws, D features, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cilsim.data.transfer import sent
from cilsim.prototypes.means import class_sums

VARIANCE_FLOOR = 1e-5
"""Added to variances before the root (released code)."""


def class_statistics(
    features_ND: Tensor, labels_N: Tensor, classes: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Return (K, D) means and (K, D) standard deviations, sqrt(unbiased variance + 1e-5).

    A class without samples, to which nobody was predicted, has the mean of all and deviations of
    exactly 0, by which `replayable` knows it; a single sample has a variance of 0.

    Args:
        features_ND: on a device that has float64.
        labels_N: their classes; samples of other classes are ignored.
        classes: the labels wanted, ascending.
    """
    wide_ND = features_ND.double()
    sums_KD, counts_K = class_sums(wide_ND, labels_N, classes)
    counts_K1 = counts_K.unsqueeze(1)
    means_KD = torch.where(counts_K1 > 0, sums_KD / counts_K1.clamp_min(1), wide_ND.mean(0))
    row_N = torch.searchsorted(torch.tensor(list(classes), device=labels_N.device), labels_N)
    apart_ND = wide_ND - means_KD[row_N.clamp_max(len(means_KD) - 1)]
    squares_KD, _ = class_sums(apart_ND.square(), labels_N, classes)
    variances_KD = squares_KD / (counts_K1 - 1).clamp_min(1)
    spreads_KD = (variances_KD + VARIANCE_FLOOR).sqrt() * (counts_K1 > 0)
    return means_KD.to(features_ND.dtype), spreads_KD.to(features_ND.dtype)


def widened(table_KD: Tensor | None, like_ND: Tensor, classes: int) -> Tensor:
    """Return a copy of a table with rows of 0 below, so that it has one per class.

    Args:
        table_KD: rows so far, or None.
        like_ND: of the type, size and device that the rows have.
        classes: how many rows to have.
    """
    wider_KD = like_ND.new_zeros(classes, like_ND.shape[1])
    if table_KD is not None:
        wider_KD[: len(table_KD)] = table_KD
    return wider_KD


def replayable(spreads_KD: Tensor) -> Tensor:
    """Return the classes, ascending, that had samples when their statistics were made."""
    return spreads_KD.amax(1).nonzero().squeeze(1)


def shared_spread(spreads_KD: Tensor) -> Tensor:
    """Return (D,) the mean over classes of their standard deviations."""
    return spreads_KD.mean(0)


def draw(
    means_KD: Tensor, spread_D: Tensor, samples: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return (M, D) features, `samples` of each class, class after class, and (M,) their row.

    Args:
        means_KD: of the classes to draw.
        spread_D: standard deviations, the same for all of them.
        samples: how many of each.
        generator: CPU generator, fresh for the step.
    """
    classes, size = means_KD.shape
    noise_MD = torch.randn(classes * samples, size, generator=generator)
    row_M = torch.arange(classes, device=means_KD.device).repeat_interleave(samples)
    noise_MD = sent(noise_MD, means_KD.device)
    return means_KD.index_select(0, row_M) + noise_MD * spread_D, row_M
