"""The network of a run: a backbone and a head, with a version that changes when weights do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from cilsim.backbones.backbone import Backbone, fingerprint
from cilsim.training.head import Head
from cilsim.training.modes import set_layout

Build = Callable[[torch.Generator], Backbone]


class Model:
    """Backbone and head of one run.

    Attributes:
        backbone: maps normalised samples (B, ...) to features (B, D).
        head: maps features (B, D) to logits over the classes seen.
        device: where both are.
        lasting: whether other runs may come to these weights of the backbone: they are given, or
            those of a base training. Features of them are worth keeping.
    """

    def __init__(
        self, build: Build, make_head: Callable[[int], Head], device: torch.device
    ) -> None:
        self._build = build
        self._make_head = make_head
        self.device = device
        self._fingerprint: str | None = None
        self._tensors: list[Tensor] = []
        self._changes: list[int] = []
        self._frozen_version: str | None = None
        self.lasting = False
        self.backbone: Backbone
        self.head: Head

    def reset(self, generator: torch.Generator) -> None:
        """Build backbone and head anew; the head has no open class."""
        self.backbone = self._build(generator).to(self.device)
        self.head = self._make_head(self.backbone.feature_size).to(self.device)
        self._settle()
        if self._frozen_version is None and not self.trainable:
            self._frozen_version = self.version

    @property
    def trainable(self) -> bool:
        """Whether the backbone has any parameter to train."""
        return any(parameter.requires_grad for parameter in self.backbone.parameters())

    def changed(self) -> None:
        """Say that the backbone's weights are not what they were."""
        self._fingerprint = None
        self.lasting = not self.trainable

    @property
    def version(self) -> str:
        """The SHA-256 of the backbone's weights, computed when first asked for after a change.

        A change in place is noticed by torch's counts even if nobody says so, as after a training
        loop of a strategy's own; one through `.data`, which they leave out, is not.
        """
        known = self._fingerprint
        if known is not None and _changes(self._tensors) == self._changes:
            return known
        self._tensors = [*self.backbone.parameters(), *self.backbone.buffers()]
        self._changes = _changes(self._tensors)
        found = self._fingerprint = fingerprint(self.backbone)
        if known not in (None, found):
            self.lasting = not self.trainable
        return found

    def state_dict(self) -> dict[str, Mapping[str, Tensor]]:
        """Return the tensors of backbone and head; none of a frozen backbone as it was built."""
        as_built = self._frozen_version is not None and self.version == self._frozen_version
        backbone = {} if as_built else self.backbone.state_dict()
        return {"backbone": backbone, "head": self.head.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        if state["backbone"]:
            self.backbone.load_state_dict(state["backbone"])
        self.head.load_state_dict(state["head"])
        self._settle()

    def _settle(self) -> None:
        """Give new weights the layout in which features are extracted; trainings choose theirs."""
        set_layout([self.backbone], channels_last=True)
        self.changed()

    def parameter_count(self) -> int:
        """Return the number of parameters of the backbone."""
        return sum(parameter.numel() for parameter in self.backbone.parameters())


def _changes(tensors: Sequence[Tensor]) -> list[int]:
    """Return how often each tensor was changed in place; torch does not count inference tensors."""
    return [0 if tensor.is_inference() else tensor._version for tensor in tensors]
