"""Parameter groups that spare biases and norms from weight decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from cilsim.training.optimisers import trainable


def decay_groups(modules: Iterable[nn.Module]) -> list[dict[str, Any]]:
    """Return two groups: matrices and kernels with the recipe's decay, vectors without.

    As SimGCD and its followers do: parameters of one dimension, biases among them, do not decay.
    """
    parameters = trainable(modules)
    return [
        {"params": [p for p in parameters if p.ndim > 1]},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
