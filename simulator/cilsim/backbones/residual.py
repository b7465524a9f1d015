"""Residual networks (He et al. 2016), in plain torch.

Parameter names are those of torchvision: conv1, bn1, layer1.0.conv1, layer2.0.downsample.0.

Axis letters: B batch, C channels, H W pixels, D features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cilsim.backbones.backbone import Backbone, channels_of
from cilsim.backbones.initial import initial
from cilsim.backbones.options import (
    CifarResNetOptions,
    ImageNetResNetOptions,
    ResNetOptions,
    SmallOptions,
)
from cilsim.backbones.resizing import Resizing, resizing

Shortcut = Literal["conv", "pad"]

WIDTHS = (64, 128, 256, 512)
"""Channels of the stages of ResNet-18."""


class PadShortcut(nn.Module):
    """Every second pixel, with zero channels appended: a shortcut without parameters."""

    def __init__(self, more_channels: int, stride: int) -> None:
        super().__init__()
        self.more_channels = more_channels
        self.stride = stride

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return (B, C + more, H / stride, W / stride)."""
        kept = x_BCHW[:, :, :: self.stride, :: self.stride]
        return F.pad(kept, (0, 0, 0, 0, 0, self.more_channels))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with batch norm, added to the shortcut, then ReLU."""

    folds = (("conv1", "bn1"), ("conv2", "bn2"), ("downsample.0", "downsample.1"))

    def __init__(self, inputs: int, outputs: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__()
        self.conv1 = _conv3x3(inputs, outputs, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = _conv3x3(outputs, outputs, 1)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = _shortcut(inputs, outputs, stride, shortcut)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the block's output, non-negative."""
        passed = x_BCHW if self.downsample is None else self.downsample(x_BCHW)
        inner = F.relu(self.bn1(self.conv1(x_BCHW)), inplace=True)
        inner = self.bn2(self.conv2(inner))
        return F.relu(inner + passed, inplace=True)


def _conv3x3(inputs: int, outputs: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)


def _shortcut(inputs: int, outputs: int, stride: int, shortcut: Shortcut) -> nn.Module | None:
    if stride == 1 and inputs == outputs:
        return None
    if shortcut == "pad":
        return PadShortcut(outputs - inputs, stride)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
    )


class ResidualNet(Backbone):
    """A stem, stages of basic blocks of which all but the first halve the image, and mean pooling.

    Features are non-negative: the ReLU of the last block is kept.
    """

    feature_tensor = r"layer(\d+)\.(\d+)\.bn2\.weight"
    folds = (("conv1", "bn1"),)

    def __init__(
        self,
        channels: int,
        widths: Sequence[int],
        blocks: int,
        *,
        stem: Literal["plain", "stride2", "imagenet"] = "plain",
        shortcut: Shortcut = "conv",
        resizing: Resizing | None = None,
    ) -> None:
        super().__init__()
        self.resizing = Resizing(None) if resizing is None else resizing
        kernel, steps = {"plain": (3, 1), "stride2": (3, 2), "imagenet": (7, 2)}[stem]
        self.conv1 = nn.Conv2d(
            channels, widths[0], kernel, stride=steps, padding=kernel // 2, bias=False
        )
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.pools = stem == "imagenet"
        self.stages = tuple(f"layer{number}" for number in range(1, len(widths) + 1))
        inputs = widths[0]
        for stage, width in zip(self.stages, widths, strict=True):
            stride = 1 if stage == "layer1" else 2
            self.add_module(stage, _stage(inputs, width, blocks, stride, shortcut))
            inputs = width
        self.feature_size = inputs

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return (B, D) features, the mean over the pixels of the last map."""
        x_BCHW = F.relu(self.bn1(self.conv1(self.resizing(images_BCHW))), inplace=True)
        if self.pools:
            x_BCHW = F.max_pool2d(x_BCHW, 3, stride=2, padding=1)
        for stage in self.stages:
            x_BCHW = getattr(self, stage)(x_BCHW)
        # not AdaptiveAvgPool2d: its backward has no deterministic implementation on CUDA
        return x_BCHW.mean((2, 3))


def _stage(
    inputs: int, outputs: int, blocks: int, stride: int, shortcut: Shortcut
) -> nn.Sequential:
    first = BasicBlock(inputs, outputs, stride, shortcut)
    return nn.Sequential(
        first, *(BasicBlock(outputs, outputs, 1, shortcut) for _ in range(blocks - 1))
    )


def small(
    options: SmallOptions, sample_shape: tuple[int, ...], generator: torch.Generator
) -> Backbone:
    """Return the quick-start net: three stages of one block after a stem of stride 2."""
    channels = channels_of("small", sample_shape)
    return initial(
        "small",
        options,
        lambda: ResidualNet(channels, options.widths, 1, stem="stride2"),
        generator,
    )


def resnet20(
    options: CifarResNetOptions, sample_shape: tuple[int, ...], generator: torch.Generator
) -> Backbone:
    """Return ResNet-20 for small images (He et al. 2016, section 4.2); D is 64."""
    channels = channels_of("resnet20", sample_shape)
    return initial(
        "resnet20",
        options,
        lambda: ResidualNet(channels, (16, 32, 64), 3, shortcut=options.shortcut),
        generator,
    )


def resnet32(
    options: CifarResNetOptions, sample_shape: tuple[int, ...], generator: torch.Generator
) -> Backbone:
    """Return ResNet-32 for small images (He et al. 2016, section 4.2); D is 64."""
    channels = channels_of("resnet32", sample_shape)
    return initial(
        "resnet32",
        options,
        lambda: ResidualNet(channels, (16, 32, 64), 5, shortcut=options.shortcut),
        generator,
    )


def resnet18_cifar(
    options: ResNetOptions, sample_shape: tuple[int, ...], generator: torch.Generator
) -> Backbone:
    """Return ResNet-18 with a 3x3 stem of stride 1 and no max-pooling; D is 512."""
    channels = channels_of("resnet18_cifar", sample_shape)
    return initial("resnet18_cifar", options, lambda: ResidualNet(channels, WIDTHS, 2), generator)


def resnet18(
    options: ImageNetResNetOptions, sample_shape: tuple[int, ...], generator: torch.Generator
) -> Backbone:
    """Return ResNet-18 with the ImageNet stem, which takes torchvision's weights; D is 512."""
    channels = channels_of("resnet18", sample_shape)

    def make() -> ResidualNet:
        return ResidualNet(channels, WIDTHS, 2, stem="imagenet", resizing=resizing(options))

    return initial("resnet18", options, make, generator)
