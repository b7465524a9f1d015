"""The sums of RanPAC over experiences, and the choice of the penalty.

Axis letters: N samples, D features, M random features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.solvers.chunking import chunks, default_max_bytes
from cilsim.solvers.ridge import (
    PENALTIES,
    best_penalty,
    path_from_sums,
    ridge_path,
    ridge_weights,
)
from cilsim.solvers.ridge_sums import RidgeSums
from cilsim_ranpac.projection import random_features

Choice = Literal["accumulated", "per_experience"] | float
WITHOUT_A_CHOICE = 1.0
"""The penalty of a stream that never had a sample to hold out."""


class RidgeClassifier:
    """Class indicators regressed on features, with one penalty for all classes.

    Attributes:
        choice: how the penalty is chosen, or the penalty.
        held_out: share of an experience on which penalties are compared.
        ridge: the penalty of the last solution.
    """

    def __init__(self, choice: Choice, held_out: float) -> None:
        self.choice = choice
        self.held_out = held_out
        self.ridge = choice if isinstance(choice, float) else WITHOUT_A_CHOICE
        self._fitted: RidgeSums | None = None
        self._compared: RidgeSums | None = None  # held-out samples, only if they accumulate

    def learn(
        self,
        features_ND: Tensor,
        labels_N: Tensor,
        classes: int,
        projection_DM: Tensor | None,
        order_N: Tensor | None = None,
    ) -> Tensor:
        """Add an experience and return the (M, K) float64 weights of all samples so far.

        Args:
            features_ND: (N, D) features of the backbone, perhaps mapped from a file.
            labels_N: (N,) labels.
            classes: K, those of `labels_N` included.
            projection_DM: of the random features, or None.
            order_N: (N,) positions; the last ones are held out. None takes them as they are.
        """
        samples = _Samples(features_ND, labels_N, classes, projection_DM, order_N)
        fitted = self._fitted = self._fitted or samples.no_sums()
        split = int((1.0 - self.held_out) * len(labels_N))
        if self.choice == "accumulated":
            self._compared = self._compared or samples.no_sums()
            samples.add(fitted, slice(0, split))
            samples.add(self._compared, slice(split, None))
            if fitted.count and self._compared.count:
                errors_P = path_from_sums(fitted).errors_from_sums(self._compared)
                self.ridge = best_penalty(errors_P)
            return ridge_weights(fitted.plus(self._compared), self.ridge)
        if self.choice == "per_experience" and 0 < split < len(labels_N):
            self.ridge = best_penalty(samples.errors(split))
        samples.add(fitted, slice(None))
        return ridge_weights(fitted, self.ridge)

    @property
    def bytes_kept(self) -> int:
        """Bytes of the sums."""
        both = [sums for sums in (self._fitted, self._compared) if sums is not None]
        return sum(sums.gram_DD.nbytes + sums.cross_DK.nbytes for sums in both)

    def state_dict(self) -> dict[str, Any]:
        """Return sums and penalty, for a checkpoint."""
        return {
            "fitted": None if self._fitted is None else self._fitted.state_dict(),
            "compared": None if self._compared is None else self._compared.state_dict(),
            "ridge": self.ridge,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over sums and penalty."""
        self._fitted, self._compared = _loaded(state["fitted"]), _loaded(state["compared"])
        self.ridge = state["ridge"]


class _Samples:
    """Samples of one experience, whose random features exist a chunk at a time."""

    def __init__(
        self,
        features_ND: Tensor,
        labels_N: Tensor,
        classes: int,
        projection_DM: Tensor | None,
        order_N: Tensor | None,
    ) -> None:
        self.features_ND, self.labels_N, self.classes = features_ND, labels_N, classes
        self.projection_DM, self.order_N = projection_DM, order_N
        self.width = (features_ND if projection_DM is None else projection_DM).shape[1]

    def no_sums(self) -> RidgeSums:
        return RidgeSums(self.width, self.features_ND.device)

    def hidden(self, part: slice) -> tuple[Tensor, Tensor]:
        """Return (B, M) random features and (B, K) class indicators."""
        taken = part if self.order_N is None else self.order_N[part]
        targets_BK = F.one_hot(self.labels_N[taken], self.classes)
        return random_features(self.features_ND[taken], self.projection_DM), targets_BK

    def add(self, sums: RidgeSums, part: slice) -> None:
        start, stop, _ = part.indices(len(self.labels_N))
        for chunk in self.chunks(start, stop):
            sums.add(*self.hidden(chunk))

    def errors(self, split: int) -> Tensor:
        """Return the errors of all penalties on the samples from `split` on."""
        if split < self.width:  # N x N is the smaller problem, and N x M less than the sums kept
            path = ridge_path(*self.hidden(slice(0, split)))
        else:
            sums = self.no_sums()
            self.add(sums, slice(0, split))
            path = path_from_sums(sums)
        total_P = torch.zeros(len(PENALTIES), dtype=torch.float64, device=self.labels_N.device)
        for chunk in self.chunks(split, len(self.labels_N)):
            total_P += path.errors(*self.hidden(chunk)) * (chunk.stop - chunk.start)
        return total_P / (len(self.labels_N) - split)

    def chunks(self, start: int, stop: int) -> Iterator[slice]:
        """Yield slices whose float64 features stay in bounded memory."""
        bound = default_max_bytes(self.features_ND.device)
        widest = max(self.width, self.features_ND.shape[1])
        for chunk in chunks(stop - start, 8 * widest, bound):
            yield slice(start + chunk.start, start + chunk.stop)


def _loaded(state: Mapping[str, Any] | None) -> RidgeSums | None:
    if state is None:
        return None
    sums = RidgeSums(len(state["gram"]), state["gram"].device)
    sums.load_state_dict(state)
    return sums
