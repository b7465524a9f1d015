"""Class means that every sample moves, kept as sums or as means.

Axis letters: N samples, D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from cilsim.prototypes.means import class_sums

Update = Literal["sums", "running"]
Embed = Callable[[Tensor], Tensor]


class ClassStatistics:
    """Numbers of samples, and sums or means of their features, in float64.

    `sums` adds z to the sum of its class. `running` is the update of one sample after another,
    mean += (z - mean) / (n + 1) (Janson et al. 2022), taken m samples at a time:
    mean += (sum of z - m mean) / (n + m), which is equal. Neither depends on the order.

    Attributes:
        update: which of the two.
        counts_K: int64 numbers of samples.
        rows_KD: float64 sums or means.
    """

    def __init__(self, update: Update) -> None:
        self.update = update
        self.counts_K = torch.zeros(0, dtype=torch.int64)
        self.rows_KD = torch.zeros(0, 0, dtype=torch.float64)

    def add(
        self, features_ND: Tensor, labels_N: Tensor, classes: int, embed: Embed | None = None
    ) -> Tensor:
        """Take in samples of old and new classes, and return (K,) how many of each there were.

        Args:
            features_ND: (N, D) features.
            labels_N: (N,) labels.
            classes: K.
            embed: maps features before, each by itself; by default nothing does.

        Raises:
            ValueError: a class has no samples, neither here nor before.
        """
        if features_ND.device.type == "mps":  # Apple's GPU has no float64
            features_ND, labels_N = features_ND.cpu(), labels_N.cpu()
        sums_KD, more_K = class_sums(features_ND, labels_N, range(classes), embed)
        known = len(self.counts_K)
        total_K, rows_KD = more_K.clone(), torch.zeros_like(sums_KD)
        if known:
            total_K[:known] += self.counts_K
            rows_KD[:known] = self.rows_KD
        if not bool(total_K.all()):
            empty = ", ".join(str(label) for label in torch.nonzero(total_K == 0)[:, 0].tolist())
            raise ValueError(f"no samples of class {empty}; a mean needs at least one")
        if self.update == "sums":
            rows_KD += sums_KD
        else:
            rows_KD += (sums_KD - more_K.unsqueeze(1) * rows_KD) / total_K.unsqueeze(1)
        self.counts_K, self.rows_KD = total_K, rows_KD
        return more_K

    def means(self) -> Tensor:
        """Return (K, D) the means, in float64."""
        return self.rows_KD / self.counts_K.unsqueeze(1) if self.update == "sums" else self.rows_KD

    @property
    def bytes_kept(self) -> int:
        """Bytes of numbers and rows."""
        return self.counts_K.nbytes + self.rows_KD.nbytes

    def state_dict(self) -> dict[str, Any]:
        """Return numbers and rows, for a checkpoint."""
        return {"counts": self.counts_K, "rows": self.rows_KD}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over numbers and rows."""
        self.counts_K, self.rows_KD = state["counts"], state["rows"]
