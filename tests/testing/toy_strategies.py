"""Strategies that break one promise each, and the proper one that they are made from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from cilsim import Experience, Strategy


class Means(Strategy):
    """Nearest class mean; keeps its promises."""

    def learn(self, experience: Experience) -> None:
        means = self.context.class_means(experience)
        old = [] if self.prototypes is None else [self.prototypes]
        self.prototypes = torch.cat([*old, means])

    def scores(self, x: Tensor) -> Tensor:
        assert self.prototypes is not None
        return -torch.cdist(x, self.prototypes)


class DrawsFromNowhere(Means):
    """Uses a generator that no seed of ours controls."""

    draws: ClassVar[Iterator[int]] = itertools.count()

    def scores(self, x: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(next(DrawsFromNowhere.draws))
        return torch.rand(len(x), self.context.seen_classes, generator=generator)


class ForgetsItsState(Means):
    """Leaves its prototypes out of what it stores, and starts again with zeros."""

    def state_dict(self) -> dict[str, Any]:
        return {"prototypes": None, "rows": 0 if self.prototypes is None else len(self.prototypes)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        size: Any = self.context.backbone.feature_size
        self.prototypes = torch.zeros(state["rows"], size)


class KeepsInSecret(Means):
    """Stores every sample ten times and declares prototypes."""

    def setup(self) -> None:
        self.samples: list[Tensor] = []

    def learn(self, experience: Experience) -> None:
        self.samples.append(torch.cat([experience.labelled.x] * 10))
        super().learn(experience)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "samples": self.samples}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self.samples = list(state["samples"])
