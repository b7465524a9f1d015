"""The running statistics of SLDA, a whole batch of the stream at a time.

Axis letters: N samples of the stream, B chunk of them, D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.solvers.conditioning import oas
from cilsim.solvers.distances import chunks

CHUNK = 128
"""Samples per product; earlier samples of the same class are found by a CHUNK x CHUNK mask."""


class StreamingGaussian:
    """Class means and one covariance, as if samples had come one by one.

    For each sample (x, y) in order, with the mean of y before it (zero for a class never seen)
    and the number N of all samples before it: S becomes (N S + N/(N+1) d d') / (N+1) with
    d = x - mean_y, then the mean of y moves. So does the released code of Hayes and Kanan 2020:
    N counts samples of all classes. Since N S = sum_i (i-1)/i d_i d_i' with i the place in the
    stream, and the means before are sums over earlier samples, a chunk is two matrix products.

    Attributes:
        means_KD: float64 class means.
        counts_K: float64 numbers of samples.
        scatter_DD: float64 N S.
        total: N.
    """

    def __init__(self, feature_size: int, device: torch.device | str = "cpu") -> None:
        self.means_KD = torch.zeros(0, feature_size, dtype=torch.float64, device=device)
        self.counts_K = torch.zeros(0, dtype=torch.float64, device=device)
        self.scatter_DD = torch.zeros(
            feature_size, feature_size, dtype=torch.float64, device=device
        )
        self.total = 0

    def fit_base(self, features_ND: Tensor, labels_N: Tensor, classes: int) -> None:
        """Start from means, counts and the OAS covariance of samples in any order."""
        self._grow(classes)
        size = features_ND.shape[1]
        moment_DD = torch.zeros_like(self.scatter_DD)
        for part in chunks(len(features_ND), size):
            self._move_means(features_ND[part].double(), labels_N[part])
        for part in chunks(len(features_ND), size):
            apart_BD = features_ND[part].double() - self.means_KD[labels_N[part]]
            moment_DD.addmm_(apart_BD.T, apart_BD)
        self.total = len(features_ND)
        self.scatter_DD = self.total * oas(moment_DD / self.total, self.total)

    def stream(
        self, features_ND: Tensor, labels_N: Tensor, classes: int, *, plastic: bool = True
    ) -> None:
        """Update means and, if `plastic`, the covariance by samples in this order.

        Args:
            features_ND: (N, D) features in the order of the stream.
            labels_N: (N,) labels.
            classes: K, the number of classes seen, those of `labels_N` included.
            plastic: whether the covariance changes; otherwise its N S grows so that S stays.
        """
        self._grow(classes)
        for start in range(0, len(features_ND), CHUNK):
            part = slice(start, start + CHUNK)
            x_BD, labels_B = features_ND[part].double(), labels_N[part]
            before, self.total = self.total, self.total + len(x_BD)
            if plastic:
                place_B = torch.arange(before, self.total, device=x_BD.device).double()
                apart_BD = x_BD - self._means_before(x_BD, labels_B)
                weighted_BD = apart_BD * (place_B / (place_B + 1)).unsqueeze(1)
                self.scatter_DD.addmm_(weighted_BD.T, apart_BD)
            else:
                self.scatter_DD *= self.total / before
            self._move_means(x_BD, labels_B)

    def precision(self, shrinkage: float) -> Tensor:
        """Return ((1 - shrinkage) S + shrinkage I)^-1 as (D, D) float64."""
        regular_DD = (1.0 - shrinkage) * self.scatter_DD / max(1, self.total)
        regular_DD.diagonal().add_(shrinkage)
        return torch.cholesky_inverse(torch.linalg.cholesky(regular_DD))

    def state_dict(self) -> dict[str, Any]:
        """Return the statistics, for a checkpoint."""
        sums = {"means": self.means_KD, "counts": self.counts_K, "scatter": self.scatter_DD}
        return {**sums, "total": self.total}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the statistics."""
        self.means_KD, self.counts_K = state["means"], state["counts"]
        self.scatter_DD, self.total = state["scatter"], state["total"]

    def _grow(self, classes: int) -> None:
        missing = classes - len(self.counts_K)
        self.means_KD = F.pad(self.means_KD, (0, 0, 0, missing))
        self.counts_K = F.pad(self.counts_K, (0, missing))

    def _means_before(self, x_BD: Tensor, labels_B: Tensor) -> Tensor:
        """Return (B, D) the mean of each sample's class before the sample came."""
        earlier_BB = (labels_B.unsqueeze(1) == labels_B).tril(-1).double()
        known_B = self.counts_K[labels_B].unsqueeze(1)
        sums_BD = known_B * self.means_KD[labels_B] + earlier_BB @ x_BD
        return sums_BD / (known_B + earlier_BB.sum(1, keepdim=True)).clamp_min(1.0)

    def _move_means(self, x_BD: Tensor, labels_B: Tensor) -> None:
        ones_B = torch.ones_like(labels_B, dtype=torch.float64)
        counts_K = self.counts_K.index_add(0, labels_B, ones_B)
        sums_KD = (self.counts_K.unsqueeze(1) * self.means_KD).index_add_(0, labels_B, x_BD)
        self.means_KD = sums_KD / counts_K.clamp_min(1.0).unsqueeze(1)
        self.counts_K = counts_K
