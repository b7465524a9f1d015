"""Which backbones the core brings, with their options; nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from cilsim.options import Options

Width = Annotated[int, Field(ge=1, le=65_536)]


class SmallOptions(Options):
    """Options of `small`."""

    widths: tuple[Width, Width, Width] = (24, 48, 96)
    """Channels of the three stages; the last is the feature size."""


class CifarResNetOptions(Options):
    """Options of `resnet20` and `resnet32`."""

    shortcut: Literal["conv", "pad"] = "conv"
    """How a block that halves the image passes its input on: 1x1 convolution and batch norm, or
    every second pixel with zero channels appended (He et al. 2016, section 4.2, option A)."""


class ResNetOptions(Options):
    """Options of `resnet18` and `resnet18_cifar`: there are none."""


class MlpOptions(Options):
    """Options of `mlp`."""

    hidden: Annotated[tuple[Width, ...], Field(min_length=1)] = (64, 64)
    """Units of each layer; the last is the feature size."""


class IdentityOptions(Options):
    """Options of `identity`: there are none."""


@dataclass(frozen=True)
class BackboneDeclaration:
    """One built-in backbone.

    Attributes:
        name: as in a scenario.
        load: `module:function`, called with (options, sample_shape, generator).
        options: the model that validates its options.
        summary: one line for `cilsim list backbones`.
        accepts: what its samples are.
    """

    name: str
    load: str
    options: type[Options]
    summary: str
    accepts: Literal["images", "features"]


BACKBONES: tuple[BackboneDeclaration, ...] = (
    BackboneDeclaration(
        name="small",
        load="cilsim.backbones.residual:small",
        options=SmallOptions,
        summary="three residual blocks after a stem of stride 2; 173 thousand parameters",
        accepts="images",
    ),
    BackboneDeclaration(
        name="resnet20",
        load="cilsim.backbones.residual:resnet20",
        options=CifarResNetOptions,
        summary="ResNet-20 for 32x32 images, widths 16-32-64; 272 thousand parameters",
        accepts="images",
    ),
    BackboneDeclaration(
        name="resnet32",
        load="cilsim.backbones.residual:resnet32",
        options=CifarResNetOptions,
        summary="ResNet-32 for 32x32 images, widths 16-32-64; 466 thousand parameters",
        accepts="images",
    ),
    BackboneDeclaration(
        name="resnet18_cifar",
        load="cilsim.backbones.residual:resnet18_cifar",
        options=ResNetOptions,
        summary="ResNet-18 with a 3x3 stem, for 32x32 images; 11.2 million parameters",
        accepts="images",
    ),
    BackboneDeclaration(
        name="resnet18",
        load="cilsim.backbones.residual:resnet18",
        options=ResNetOptions,
        summary="ResNet-18 with the ImageNet stem, as in torchvision; 11.2 million parameters",
        accepts="images",
    ),
    BackboneDeclaration(
        name="mlp",
        load="cilsim.backbones.dense:mlp",
        options=MlpOptions,
        summary="fully connected layers with ReLU, for features or tabular data",
        accepts="features",
    ),
    BackboneDeclaration(
        name="identity",
        load="cilsim.backbones.dense:identity",
        options=IdentityOptions,
        summary="passes ready features through; nothing to train",
        accepts="features",
    ),
)
