"""The exemplars as what must be remembered of them: where each sample is, and its label.

Axis letters: M exemplars.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from cilsim_icarl.herding import rank_in_class


def _none() -> Tensor:
    return torch.empty(0, dtype=torch.int64)


@dataclass(frozen=True)
class Exemplars:
    """Exemplars by class, of each class in the order in which they were chosen.

    Attributes:
        index: (M,) int64 position of each in the data set (on the CPU).
        labels: (M,) int64 labels, ascending (on the CPU).
    """

    index: Tensor = field(default_factory=_none)
    labels: Tensor = field(default_factory=_none)

    def __len__(self) -> int:
        return len(self.index)

    def first(self, per_class: int) -> Exemplars:
        """Return the first `per_class` of each class (Rebuffi et al. 2017, algorithm 5)."""
        return self._at(rank_in_class(self.labels) < per_class)

    def split(self, labels_N: Tensor) -> tuple[Exemplars, Exemplars]:
        """Return the exemplars of classes that occur in `labels_N`, and all others."""
        among_M = torch.isin(self.labels, labels_N.cpu())
        return self._at(among_M), self._at(~among_M)

    def joined(self, more: Exemplars) -> Exemplars:
        """Return these and `more`, classes ascending, each in its order."""
        labels = torch.cat([self.labels, more.labels])
        index = torch.cat([self.index, more.index])
        order = labels.argsort(stable=True)
        return Exemplars(index[order], labels[order])

    def _at(self, which_M: Tensor) -> Exemplars:
        return Exemplars(self.index[which_M], self.labels[which_M])
