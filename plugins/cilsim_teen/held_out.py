"""Choosing TEEN's weight without test data: base classes are held out as if they were new.

Axis letters: N samples, Q queries, D features, K base classes, W weights of the grid.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.prototypes.means import RunningMeans
from cilsim_teen.calibration import NORM_FLOOR, calibrate

GRID = tuple(step / 20 for step in range(21))
"""Weights to choose from: 0 to 1 in steps of 0.05."""

EPISODES = 20
"""How often base classes are held out."""

HELD_OUT = 0.4
"""Share of the base classes that is held out at a time, that of new classes in the protocols of
CIFAR-100 and miniImageNet."""

QUERIES = 100
"""Samples per class that are classified in an episode, at most."""


def choose_weight(
    features_ND: Tensor,
    labels_N: Tensor,
    *,
    shots: int,
    similarity_scale: float,
    generator: torch.Generator,
) -> tuple[float, float]:
    """Return the weight with the largest mean harmonic mean, and that harmonic mean.

    In each episode some classes are pseudo-new: prototypes of a few shots each, calibrated by
    the other, pseudo-base classes, whose prototypes are the means of half of their samples. The
    remaining samples of both are classified among all. Of equally good weights the smallest is
    returned.

    Args:
        features_ND: features of the training samples of the base.
        labels_N: (N,) their labels 0 to K - 1, each of them present.
        shots: samples per pseudo-new class.
        similarity_scale: as in `calibrate`.
        generator: on the CPU.
    """
    if features_ND.device.type == "mps":  # Apple's GPU has no float64
        features_ND, labels_N = features_ND.cpu(), labels_N.cpu()
    classes = int(labels_N.max()) + 1
    held = min(max(round(HELD_OUT * classes), 1), classes - 1)
    total_W = torch.zeros(len(GRID), dtype=torch.float64)
    unit_ND = F.normalize(features_ND, eps=NORM_FLOOR)
    for _ in range(EPISODES):
        new_K = torch.zeros(classes, dtype=torch.bool)
        new_K[torch.randperm(classes, generator=generator)[:held]] = True
        support_N, query_N = _divide(labels_N, new_K, shots, generator)
        means = RunningMeans(range(classes), features_ND.shape[1], features_ND.device)
        means.add(features_ND[support_N], labels_N[support_N])
        total_W += _harmonic_means(
            unit_ND[query_N],
            labels_N[query_N],
            means.means(),
            new_K.to(features_ND.device),
            similarity_scale,
        )
    best = int(total_W.argmax())
    return GRID[best], float(total_W[best]) / EPISODES


def _divide(
    labels_N: Tensor, new_K: Tensor, shots: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return positions of the samples that make prototypes, and of the queries.

    At least one sample of a class makes its prototype, and one is left over if there are two.
    """
    label_N = labels_N.cpu()
    count_K = torch.bincount(label_N)
    key_N = label_N.double() + torch.rand(len(label_N), generator=generator, dtype=torch.float64)
    order_N = key_N.argsort(stable=True)
    sorted_N = label_N[order_N]
    rank_N = torch.arange(len(label_N)) - (count_K.cumsum(0) - count_K)[sorted_N]
    support_K = torch.where(new_K, count_K.sub(1).clamp(max=shots), count_K // 2).clamp(min=1)
    used_N = support_K[sorted_N]
    support_N, query_N = rank_N < used_N, (rank_N >= used_N) & (rank_N < used_N + QUERIES)
    device = labels_N.device
    return order_N[support_N].to(device), order_N[query_N].to(device)


def _harmonic_means(
    unit_QD: Tensor, label_Q: Tensor, means_KD: Tensor, new_K: Tensor, similarity_scale: float
) -> Tensor:
    """Return (W,) the harmonic mean of pseudo-base and pseudo-new accuracy, on the CPU.

    A calibrated prototype is a mixture of two vectors, so all weights share its two products
    with the queries.
    """
    own = F.normalize(means_KD[new_K], eps=NORM_FLOOR)
    mixture = calibrate(
        own, means_KD[~new_K], calibration_weight=1.0, similarity_scale=similarity_scale
    )
    base_QK = unit_QD @ F.normalize(means_KD[~new_K], eps=NORM_FLOOR).T
    own_QK, mixture_QK = unit_QD @ own.T, unit_QD @ mixture.T
    base_label_K, new_label_K = (~new_K).nonzero().flatten(), new_K.nonzero().flatten()
    best_base = base_QK.max(1)
    base_predicted_Q = base_label_K[best_base.indices]
    member_QK = F.one_hot(label_Q, len(new_K)).double()
    count_K = member_QK.sum(0)
    accuracies = []
    for weight in GRID:
        length_K = ((1.0 - weight) * own + weight * mixture).norm(dim=1).clamp(min=NORM_FLOOR)
        best_new = (((1.0 - weight) * own_QK + weight * mixture_QK) / length_K).max(1)
        predicted_Q = torch.where(
            best_new.values > best_base.values, new_label_K[best_new.indices], base_predicted_Q
        )
        accuracies.append((predicted_Q == label_Q).double() @ member_QK / count_K)
    accuracy_WK = torch.stack(accuracies)
    base_W, new_W = accuracy_WK[:, ~new_K].nanmean(1), accuracy_WK[:, new_K].nanmean(1)
    return (2.0 * base_W * new_W / (base_W + new_W)).nan_to_num(0.0).cpu()
