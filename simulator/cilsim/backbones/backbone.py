"""What every backbone is, how it is initialised, and how it is told from another.

Axis letters: B batch, D features.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cilsim.errors import DataError


class Backbone(nn.Module):
    """Maps normalised samples to features.

    `forward` takes float32 (B, C, H, W) images or (B, D_in) features and returns (B, D).

    Attributes:
        feature_size: D.
        feature_tensor: pattern of the names of tensors, numbers in groups, of which the one with
            the largest numbers has length D: weights for another feature size are told by it.
        folds: convolutions of this module that are followed by a batch norm and read by nothing
            else, as pairs of names; its parts may have the same (see `folding`).
    """

    feature_size: int
    feature_tensor: str = ""
    folds: tuple[tuple[str, str], ...] = ()

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor:
            """Return features (B, D)."""

    def draw(self, generator: torch.Generator) -> None:
        """Draw every weight anew from a CPU generator."""
        for module in self.modules():
            _initialise(module, generator)


def build_on_cpu(make: Callable[[], Backbone], generator: torch.Generator) -> Backbone:
    """Return the backbone that `make` builds, with every weight drawn from `generator`."""
    backbone = build_empty(make)
    backbone.draw(generator)
    return backbone


def build_empty(make: Callable[[], Backbone]) -> Backbone:
    """Return the backbone that `make` builds, with whatever the memory holds as weights.

    It is built without memory first, so that torch's own initialisation costs nothing and leaves
    the global generator alone.
    """
    with torch.device("meta"):
        backbone = make()
    return backbone.to_empty(device="cpu")


def _initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw convolutions from Kaiming's normal (fan out, ReLU), others as torch does by default."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(
            module.weight, mode="fan_out", nonlinearity="relu", generator=generator
        )
    elif isinstance(module, nn.BatchNorm2d):
        module.reset_parameters()
    elif isinstance(module, nn.Linear):
        bound = 1.0 / math.sqrt(module.in_features)
        nn.init.uniform_(module.weight, -bound, bound, generator=generator)
        nn.init.uniform_(module.bias, -bound, bound, generator=generator)


def channels_of(name: str, sample_shape: tuple[int, ...]) -> int:
    """Return C of images (C, H, W), or raise the `DataError` that `name` wants images."""
    if len(sample_shape) != 3:
        raise DataError(
            f"backbone '{name}': the data set gives features of shape {_shape(sample_shape)}, "
            "expected images; use 'mlp' or 'identity'"
        )
    return sample_shape[0]


def features_of(name: str, sample_shape: tuple[int, ...]) -> int:
    """Return D of features (D,), or raise the `DataError` that `name` wants features."""
    if len(sample_shape) != 1:
        raise DataError(
            f"backbone '{name}': the data set gives images of shape {_shape(sample_shape)}, "
            "expected features; use 'small' or 'resnet20'"
        )
    return sample_shape[0]


def _shape(sample_shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, sample_shape))})"


def fingerprint(module: nn.Module) -> str:
    """Return the SHA-256 of all parameters and buffers as hexadecimal text.

    Names, types, shapes and values count; device and memory layout do not.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)};".encode())
        values = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(values.view(torch.uint8).numpy().data)
    return digest.hexdigest()
