"""Options of the backbones that the core brings and that have no module of options of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cilsim.backbones.pretrained import FileOptions, ResizedOptions
from cilsim.options import Options

Width = Annotated[int, Field(ge=1, le=65_536)]


class SmallOptions(FileOptions):
    """Options of `small`."""

    widths: tuple[Width, Width, Width] = (24, 48, 96)
    """Channels of the three stages; the last is the feature size."""


class CifarResNetOptions(FileOptions):
    """Options of `resnet20` and `resnet32`."""

    shortcut: Literal["conv", "pad"] = "conv"
    """How a block that halves the image passes its input on: 1x1 convolution and batch norm, or
    every second pixel with zero channels appended (He et al. 2016, section 4.2, option A)."""


class ResNetOptions(FileOptions):
    """Options of `resnet18_cifar`."""


class ImageNetResNetOptions(ResizedOptions):
    """Options of `resnet18`."""

    torchvision_model: ClassVar[str] = "resnet18"

    weights: Annotated[
        Literal["none", "imagenet1k_v1"] | Path, Field(union_mode="left_to_right")
    ] = "none"
    """Weights to start from: none (random ones), those of torchvision by name, or a .safetensors,
    .pt or .pth file."""


class WideResNetOptions(FileOptions):
    """Options of `wide_resnet`."""

    depth: Literal[10, 16, 22, 28, 34, 40] = 28
    """Layers: six for each block per stage, and four."""
    factor: Annotated[int, Field(ge=1, le=20)] = 10
    """By how much the widths 16, 32 and 64 are multiplied."""


class MlpOptions(Options):
    """Options of `mlp`."""

    hidden: Annotated[tuple[Width, ...], Field(min_length=1)] = (64, 64)
    """Units of each layer; the last is the feature size."""


class IdentityOptions(Options):
    """Options of `identity`: there are none."""
