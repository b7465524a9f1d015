"""A classifier that is allocated once at its final width and opened experience by experience.

Axis letters: B batch, D features, C all classes of the stream, K classes seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NORM_FLOOR = 1e-12
"""Smallest norm that cosine scores divide by."""


class Head(nn.Module):
    """Linear or cosine scores over the classes seen so far.

    Rows of classes that are not yet seen hold zeros, take no gradient and never show: `open` draws
    them when their experience begins, whatever weight decay did to them before.

    Attributes:
        weight: (C, D).
        bias: (C,), or None for cosine scores.
        seen: K, the number of classes opened.
    """

    opened: Tensor

    def __init__(
        self,
        feature_size: int,
        total_classes: int,
        kind: Literal["linear", "cosine"] = "linear",
        temperature: float = 16.0,
    ) -> None:
        super().__init__()
        self.kind: Literal["linear", "cosine"] = kind
        self.temperature = temperature
        self.weight = nn.Parameter(torch.zeros(total_classes, feature_size))
        self.bias = nn.Parameter(torch.zeros(total_classes)) if kind == "linear" else None
        self.seen = 0
        self.register_buffer("opened", torch.zeros((), dtype=torch.int64))

    @classmethod
    def of_rows(cls, rows_KD: Tensor, temperature: float) -> Head:
        """Return a cosine head whose rows are given, all open, on their device."""
        classes, feature_size = rows_KD.shape
        head = cls(feature_size, classes, "cosine", temperature).to(rows_KD.device)
        with torch.no_grad():
            head.weight.copy_(rows_KD)
        head.seen = classes
        head.opened.fill_(classes)
        return head

    def open(self, new_classes: int, generator: torch.Generator) -> None:
        """Open the next rows, drawn uniformly from +-1/sqrt(D) as torch's Linear does.

        Args:
            new_classes: how many classes the experience adds.
            generator: CPU generator, fresh for the experience.

        Raises:
            ValueError: the head has not so many rows left.
        """
        total, feature_size = self.weight.shape
        if not 0 <= new_classes <= total - self.seen:
            raise ValueError(f"{new_classes} more classes on top of {self.seen} exceed {total}")
        rows = slice(self.seen, self.seen + new_classes)
        bound = 1.0 / math.sqrt(feature_size)
        with torch.no_grad():
            _fill_uniform(self.weight[rows], bound, generator)
            if self.bias is not None:
                _fill_uniform(self.bias[rows], bound, generator)
        self.seen += new_classes
        self.opened.fill_(self.seen)

    def widened(self, more_classes: int, generator: torch.Generator) -> Head:
        """Return a head with these rows and `more_classes` opened below them.

        For heads that a strategy keeps beside the engine's, which know no final width.
        """
        total, feature_size = self.weight.shape
        wider = Head(feature_size, total + more_classes, self.kind, self.temperature)
        wider.to(self.weight.device)
        with torch.no_grad():
            wider.weight[:total] = self.weight
            if wider.bias is not None and self.bias is not None:
                wider.bias[:total] = self.bias
        wider.seen = self.seen
        wider.open(more_classes, generator)
        return wider

    def forward(self, features_BD: Tensor) -> Tensor:
        """Return scores (B, K) over the classes seen.

        They are computed at full width and cut, so that a score has the same bits however many
        classes there are.
        """
        return self._scores(features_BD)[:, : self.seen]

    def masked_logits(self, features_BD: Tensor) -> Tensor:
        """Return scores (B, C) of a shape that never changes; classes not seen have -inf."""
        scores_BC = self._scores(features_BD)
        unseen_C = torch.arange(self.weight.shape[0], device=scores_BC.device) >= self.opened
        return scores_BC.masked_fill(unseen_C, float("-inf"))

    def _scores(self, features_BD: Tensor) -> Tensor:
        # in the weights' own precision: cosines times a temperature are too coarse in bf16
        features_BD = features_BD.to(self.weight.dtype)
        if torch.is_autocast_enabled(features_BD.device.type):
            with torch.autocast(features_BD.device.type, enabled=False):
                return self._scores(features_BD)
        if self.kind == "linear":
            return F.linear(features_BD, self.weight, self.bias)
        unit_BD = F.normalize(features_BD, dim=1, eps=NORM_FLOOR)
        unit_CD = F.normalize(self.weight, dim=1, eps=NORM_FLOOR)
        return self.temperature * F.linear(unit_BD, unit_CD)

    def _load_from_state_dict(self, state: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state, prefix, *rest)
        self.seen = int(self.opened)


def _fill_uniform(rows: Tensor, bound: float, generator: torch.Generator) -> None:
    drawn = torch.empty(rows.shape, dtype=rows.dtype)
    rows.copy_(drawn.uniform_(-bound, bound, generator=generator))
