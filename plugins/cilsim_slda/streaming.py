"""The running statistics of SLDA, a whole batch of the stream at a time.

Axis letters: N samples of the stream, B chunk of them, D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.solvers.conditioning import oas
from cilsim.solvers.gram import add_gram

CHUNK = 1024
"""Samples at a time: few enough that what is made of them stays in a processor's cache."""
BLOCK = 16
"""Samples per triangular product of `_sums_before`."""


class StreamingGaussian:
    """Class means and one covariance, as if samples had come one by one.

    For each sample (x, y) in order, with the mean of y before it (zero for a class never seen)
    and the number N of all samples before it: S becomes (N S + N/(N+1) d d') / (N+1) with
    d = x - mean_y, then the mean of y moves. So does the released code of Hayes and Kanan 2020:
    N counts samples of all classes. Since N S = sum_i (i-1)/i d_i d_i' with i the place in the
    stream, and the means before are sums over earlier samples, a chunk is three matrix products.

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
        moment_DD = torch.zeros_like(self.scatter_DD)
        for part in _parts(len(features_ND)):
            self._move_means(features_ND[part].double(), labels_N[part])
        for part in _parts(len(features_ND)):
            add_gram(moment_DD, features_ND[part].double() - self.means_KD[labels_N[part]])
        self.total = len(features_ND)
        self.scatter_DD = self.total * oas(moment_DD / self.total, self.total)

    def stream(
        self,
        features_ND: Tensor,
        labels_N: Tensor,
        classes: int,
        *,
        order_N: Tensor | None = None,
        plastic: bool = True,
    ) -> None:
        """Update means and, if `plastic`, the covariance by samples in this order.

        Args:
            features_ND: (N, D) features, perhaps memory-mapped: a part of them is read at a time.
            labels_N: (N,) labels.
            classes: K, the number of classes seen, those of `labels_N` included.
            order_N: (N,) positions in the order of the stream; None takes them as they are.
            plastic: whether the covariance changes; otherwise its N S grows so that S stays.
        """
        self._grow(classes)
        for part in _parts(len(features_ND)):
            taken = part if order_N is None else order_N[part]
            labels_B, order_B = labels_N[taken].sort(stable=True)
            x_BD = features_ND[taken].index_select(0, order_B).double()
            before, self.total = self.total, self.total + len(x_BD)
            if plastic:
                place_B = before + order_B.double()
                weight_B1 = (place_B / (place_B + 1)).sqrt_().unsqueeze(1)
                add_gram(self.scatter_DD, self._apart(x_BD, labels_B).mul_(weight_B1))
            else:
                self.scatter_DD *= self.total / before
            self._move_means(x_BD, labels_B)

    def weights(self, rows_KD: Tensor, shrinkage: float) -> Tensor:
        """Return (K, D) float64 rows times the inverse of (1 - shrinkage) S + shrinkage I.

        By Cholesky's factorisation, or the pseudo-inverse where rounding leaves none that means
        anything: features so large that the shrinkage is lost beside S, and fewer samples than
        features.

        Args:
            rows_KD: class means.
            shrinkage: weight of the identity.
        """
        rows_KD = rows_KD.double()
        regular_DD = (1.0 - shrinkage) * self.scatter_DD / max(1, self.total)
        regular_DD.diagonal().add_(shrinkage)
        factor_DD, broken = torch.linalg.cholesky_ex(regular_DD)
        pivots_D = factor_DD.diagonal().square()
        rounding = len(regular_DD) * torch.finfo(regular_DD.dtype).eps
        if int(broken) or not bool(pivots_D.min() > rounding * pivots_D.max()):
            inverse_DD: Tensor = torch.linalg.pinv(regular_DD, hermitian=True)
            return rows_KD @ inverse_DD
        return torch.cholesky_solve(rows_KD.T, factor_DD).T

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

    def _apart(self, x_BD: Tensor, labels_B: Tensor) -> Tensor:
        """Return (B, D) each sample less the mean of its class before the sample came.

        Args:
            x_BD: (B, D) samples, those of a class together in the order of the stream.
            labels_B: (B,) labels, ascending.
        """
        first_B = torch.searchsorted(labels_B, labels_B)
        known_B1 = self.counts_K[labels_B].unsqueeze(1)
        earlier_B1 = (torch.arange(len(labels_B), device=x_BD.device) - first_B).unsqueeze(1)
        sums_BD = _sums_before(x_BD)
        sums_BD -= sums_BD.index_select(0, first_B)
        sums_BD.addcmul_(known_B1, self.means_KD.index_select(0, labels_B))
        return x_BD - sums_BD.div_((known_B1 + earlier_B1).clamp_min(1.0))

    def _move_means(self, x_BD: Tensor, labels_B: Tensor) -> None:
        ones_B = torch.ones_like(labels_B, dtype=torch.float64)
        counts_K = self.counts_K.index_add(0, labels_B, ones_B)
        sums_KD = (self.counts_K.unsqueeze(1) * self.means_KD).index_add_(0, labels_B, x_BD)
        self.means_KD = sums_KD / counts_K.clamp_min(1.0).unsqueeze(1)
        self.counts_K = counts_K


def _parts(samples: int) -> Iterator[slice]:
    for start in range(0, samples, CHUNK):
        yield slice(start, min(start + CHUNK, samples))


def _sums_before(x_BD: Tensor) -> Tensor:
    """Return (B, D) the sum of all rows above each row: triangular products within and of blocks.

    Products and not `cumsum`, whose bits differ from run to run on a GPU.
    """
    samples, size = x_BD.shape
    padded_GBD = F.pad(x_BD, (0, 0, 0, -samples % BLOCK)).view(-1, BLOCK, size)
    within_GBD = _strictly_lower(BLOCK, x_BD) @ padded_GBD
    blocks = len(padded_GBD)
    above_GD = _strictly_lower(blocks, x_BD) @ (within_GBD[:, -1] + padded_GBD[:, -1])
    return within_GBD.add_(above_GD.unsqueeze(1)).view(-1, size)[:samples]


def _strictly_lower(size: int, like: Tensor) -> Tensor:
    return torch.ones(size, size, dtype=like.dtype, device=like.device).tril_(-1)
