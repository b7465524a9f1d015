"""The order in which samples of a class become exemplars.

An order does not depend on how many exemplars are wanted, so fewer are always the first of more.

Axis letters: N samples, C classes of a block, S samples of its largest class, D features,
M exemplars.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK_NUMBERS = 2**25
"""Most numbers of padded features that are worked on at once: 256 MiB in float64."""

TIE = 1e-9
"""Differences of what is maximised that count as none: both of two samples are equally near."""


def herded(features_ND: Tensor, labels_N: Tensor, per_class: int) -> Tensor:
    """Return (M,) positions of exemplars: classes ascend, each in the order of choice.

    The k-th exemplar of a class is argmin_x |mu - (f(x) + sum of those chosen) / k|, each sample
    at most once, with mu the plain mean of the class's features (Rebuffi et al. 2017, algorithm
    4). Expanded and without what is common, that is argmax_x 2 f(x).(k mu - sum) - f(x).f(x),
    one product for all samples of all classes. Of equals, the first sample is taken.

    Args:
        features_ND: (N, D) features; the paper normalises them to length 1 before.
        labels_N: (N,) integer labels.
        per_class: exemplars of a class; one with fewer samples gives all.
    """
    order_N = labels_N.argsort(stable=True)
    _, sizes = torch.unique_consecutive(labels_N[order_N], return_counts=True)
    starts = sizes.cumsum(0) - sizes
    chosen = [
        _herded_block(features_ND, order_N, starts[block], sizes[block], per_class)
        for block in _blocks(sizes.tolist(), features_ND.shape[1])
    ]
    return torch.cat(chosen) if chosen else order_N


def _blocks(sizes: list[int], feature_size: int) -> Iterator[slice]:
    """Yield slices of classes that fit `BLOCK_NUMBERS` when padded; at least one class each."""
    largest = max(sizes, default=1) * feature_size
    width = max(1, BLOCK_NUMBERS // max(1, largest))
    for start in range(0, len(sizes), width):
        yield slice(start, start + width)


def _herded_block(
    features_ND: Tensor, order_N: Tensor, starts_C: Tensor, sizes_C: Tensor, per_class: int
) -> Tensor:
    slot_S = torch.arange(int(sizes_C.max()), device=order_N.device)
    free_CS = slot_S < sizes_C.unsqueeze(1)
    position_CS = order_N[(starts_C.unsqueeze(1) + slot_S).clamp_max(len(order_N) - 1)]
    # Apple's GPU has no float64
    exact = torch.float32 if features_ND.device.type == "mps" else torch.float64
    rows_CSD = features_ND[position_CS].to(exact) * free_CS.unsqueeze(2)
    squares_CS = rows_CSD.square().sum(2)
    mean_CD = rows_CSD.sum(1) / sizes_C.unsqueeze(1)
    sum_CD = torch.zeros_like(mean_CD)
    picks = []
    for k in range(1, min(per_class, len(slot_S)) + 1):
        missing_CD1 = (k * mean_CD - sum_CD).unsqueeze(2)
        gain_CS = 2.0 * (rows_CSD @ missing_CD1).squeeze(2) - squares_CS
        gain_CS.masked_fill_(~free_CS, float("-inf"))
        best_CS = gain_CS >= gain_CS.amax(1, keepdim=True) - TIE
        pick_C1 = best_CS.to(torch.uint8).argmax(1, keepdim=True)
        free_CS = free_CS.scatter(1, pick_C1, False)
        sum_CD += rows_CSD.take_along_dim(pick_C1.unsqueeze(2), dim=1).squeeze(1)
        picks.append(pick_C1)
    pick_CM = torch.cat(picks, dim=1)
    within_CM = slot_S[: pick_CM.shape[1]] < sizes_C.unsqueeze(1)
    return position_CS.take_along_dim(pick_CM, dim=1)[within_CM]


def drawn(labels_N: Tensor, per_class: int, generator: torch.Generator) -> Tensor:
    """Return (M,) positions of exemplars drawn at random: classes ascend, each in drawn order.

    Args:
        labels_N: (N,) integer labels.
        per_class: exemplars of a class; one with fewer samples gives all.
        generator: CPU generator.
    """
    shuffled_N = torch.randperm(len(labels_N), generator=generator).to(labels_N.device)
    by_class_N = labels_N[shuffled_N].argsort(stable=True)
    order_N = shuffled_N[by_class_N]
    return order_N[rank_in_class(labels_N[order_N]) < per_class]


def rank_in_class(sorted_N: Tensor) -> Tensor:
    """Return (N,) the position of each sample within its class, from 0; labels must be sorted."""
    _, class_N, sizes = torch.unique_consecutive(sorted_N, return_inverse=True, return_counts=True)
    starts: Tensor = sizes.cumsum(0) - sizes
    return torch.arange(len(sorted_N), device=sorted_N.device) - starts[class_N]
