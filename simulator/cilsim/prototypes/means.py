"""Class means, exact and the same on every run: no atomics, sums in float64.

Axis letters: N samples, M samples of a class, B batch, D features, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor


def class_means(
    features_ND: Tensor,
    labels_N: Tensor,
    classes: Sequence[int],
    embed: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Return (K, D) the mean feature of each class, row k for `classes[k]`.

    Samples are sorted by label and each segment is summed in float64, so a row depends on its own
    samples alone, bit for bit: neither the other classes nor their number touch it.

    Args:
        features_ND: (N, D) features; half precision comes back as float32.
        labels_N: (N,) integer labels; samples of other classes are ignored.
        classes: the labels wanted.
        embed: maps features before they are averaged, each by itself; by default nothing does.

    Raises:
        ValueError: a class has no samples, or the lengths differ.
    """
    _check_lengths(features_ND, labels_N)
    if features_ND.device.type == "mps":  # Apple's GPU has no float64
        return class_means(features_ND.cpu(), labels_N.cpu(), classes, embed).to(features_ND.device)
    sums_KD, counts_K = class_sums(features_ND, labels_N, classes, embed)
    _check_present(classes, dict(zip(classes, counts_K.tolist(), strict=True)))
    means_KD = sums_KD / counts_K.unsqueeze(1)
    return means_KD.to(torch.promote_types(features_ND.dtype, torch.float32))


def class_sums(
    features_ND: Tensor,
    labels_N: Tensor,
    classes: Sequence[int],
    embed: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return (K, D) float64 sums of features and (K,) int64 numbers of samples per class.

    Each sum is over the samples of its class in their order, as in `class_means`; a class without
    samples has zeros.

    Args:
        features_ND: (N, D) features, on a device that has float64.
        labels_N: (N,) integer labels; samples of other classes are ignored.
        classes: the labels wanted.
        embed: as in `class_means`; it sees the samples of one class at a time, so that no other
            copy of the features is made.

    Raises:
        ValueError: the lengths differ.
    """
    _check_lengths(features_ND, labels_N)
    order_N = labels_N.argsort(stable=True)
    present, counts = torch.unique_consecutive(labels_N[order_N], return_counts=True)
    sizes = dict(zip(present.tolist(), counts.tolist(), strict=True))
    ends = dict(zip(sizes, accumulate(sizes.values()), strict=True))
    sums_KD = features_ND.new_zeros(len(classes), features_ND.shape[1], dtype=torch.float64)
    counts_K = torch.zeros(len(classes), dtype=torch.int64)
    row_of = {label: row for row, label in enumerate(classes)}
    for label in sizes.keys() & row_of.keys():  # those that came, not all that were ever seen
        mine = order_N[ends[label] - sizes[label] : ends[label]]
        own_MD = features_ND[mine] if embed is None else embed(features_ND[mine])
        sums_KD[row_of[label]] = own_MD.sum(0, dtype=torch.float64)
        counts_K[row_of[label]] = sizes[label]
    return sums_KD, counts_K.to(features_ND.device)


class RunningMeans:
    """Class means of features that come in batches; one pass, nothing stored but sums.

    Adding waits for nothing on the host: a one-hot product in float64 per batch.

    Attributes:
        classes: the labels, in the order of the rows.
        sums_KD: float64 sums of features.
        counts_K: int64 numbers of samples.
        dtype: of the means that come out.
    """

    def __init__(
        self,
        classes: Sequence[int],
        feature_size: int,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.classes = tuple(classes)
        self.dtype = dtype
        self.sums_KD = torch.zeros(
            len(self.classes), feature_size, dtype=torch.float64, device=device
        )
        self.counts_K = torch.zeros(len(self.classes), dtype=torch.int64, device=device)
        self._labels_K = torch.tensor(self.classes, dtype=torch.int64, device=device)

    def add(self, features_BD: Tensor, labels_B: Tensor) -> None:
        """Add a batch; samples of classes that are not among `classes` are ignored.

        Raises:
            ValueError: the lengths differ.
        """
        _check_lengths(features_BD, labels_B)
        member_BK = labels_B.unsqueeze(1) == self._labels_K
        self.sums_KD += member_BK.to(torch.float64).T @ features_BD.detach().to(torch.float64)
        self.counts_K += member_BK.sum(0)

    def merge(self, other: RunningMeans) -> None:
        """Add what another object of the same classes has counted, for example on another device.

        Raises:
            ValueError: its classes or feature size differ.
        """
        if other.classes != self.classes or other.sums_KD.shape != self.sums_KD.shape:
            raise ValueError(
                f"cannot merge means of classes {other.classes} with {other.sums_KD.shape[1]} "
                f"features into {self.classes} with {self.sums_KD.shape[1]}"
            )
        self.sums_KD += other.sums_KD.to(self.sums_KD.device)
        self.counts_K += other.counts_K.to(self.counts_K.device)

    def means(self) -> Tensor:
        """Return (K, D) the means so far, as `dtype`.

        Raises:
            ValueError: a class has no samples.
        """
        _check_present(self.classes, dict(zip(self.classes, self.counts_K.tolist(), strict=True)))
        return (self.sums_KD / self.counts_K.unsqueeze(1)).to(self.dtype)

    def state_dict(self) -> dict[str, Any]:
        """Return sums and counts, for a checkpoint."""
        return {"sums": self.sums_KD, "counts": self.counts_K}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over sums and counts."""
        self.sums_KD.copy_(state["sums"])
        self.counts_K.copy_(state["counts"])


def _check_lengths(features: Tensor, labels: Tensor) -> None:
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise ValueError(
            f"features have shape {tuple(features.shape)} and labels {tuple(labels.shape)}; "
            "expected (N, D) and (N,)"
        )


def _check_present(classes: Sequence[int], sizes: Mapping[int, int]) -> None:
    missing = [str(label) for label in classes if not sizes.get(label)]
    if missing:
        raise ValueError(f"no samples of class {', '.join(missing)}; a mean needs at least one")
