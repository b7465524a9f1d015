"""Backbones for samples that are features already.

Axis letters: B batch, D features.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cilsim.backbones.backbone import Backbone, build_on_cpu, features_of
from cilsim.backbones.options import IdentityOptions, MlpOptions


class Mlp(Backbone):
    """Fully connected layers, each followed by ReLU, the last one included."""

    def __init__(self, inputs: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(*sizes) for sizes in pairwise((inputs, *hidden)))
        self.feature_size = hidden[-1]

    def forward(self, features_BD: Tensor) -> Tensor:
        """Return (B, hidden[-1]), non-negative."""
        for layer in self.layers:
            features_BD = F.relu(layer(features_BD))
        return features_BD


class Identity(Backbone):
    """Returns what it is given."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.feature_size = inputs

    def forward(self, features_BD: Tensor) -> Tensor:
        """Return `features_BD` itself."""
        return features_BD


def mlp(options: MlpOptions, sample_shape: tuple[int, ...], generator: torch.Generator) -> Backbone:
    """Return fully connected layers for feature vectors."""
    inputs = features_of("mlp", sample_shape)
    return build_on_cpu(lambda: Mlp(inputs, options.hidden), generator)


def identity(
    options: IdentityOptions, sample_shape: tuple[int, ...], generator: torch.Generator
) -> Backbone:
    """Return a backbone without parameters."""
    return Identity(features_of("identity", sample_shape))
