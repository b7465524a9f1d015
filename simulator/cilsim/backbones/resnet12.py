"""ResNet-12, the residual network of few-shot learning (Oreshkin et al. 2018, Lee et al. 2019).

Four stages of one block of three convolutions each, halved by max-pooling after every block.
DropBlock, with which Lee et al. train it, is left out: other regularisation comes from strategies.

Axis letters: B batch, C channels, H W pixels, D features.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cilsim.backbones.backbone import Backbone, channels_of
from cilsim.backbones.initial import initial
from cilsim.backbones.resnet12_options import ResNet12Options

SLOPE = 0.1
"""Of the leaky ReLU (Lee et al. 2019, section 4.1)."""


class ThreeConvolutions(nn.Module):
    """Three 3x3 convolutions with batch norm, added to a 1x1 convolution, then max-pooling."""

    folds = (
        ("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3"), ("downsample.0", "downsample.1"),
    )  # fmt: skip

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv3 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return (B, outputs, H // 2, W // 2)."""
        inner = F.leaky_relu(self.bn1(self.conv1(x_BCHW)), SLOPE, inplace=True)
        inner = F.leaky_relu(self.bn2(self.conv2(inner)), SLOPE, inplace=True)
        inner = self.bn3(self.conv3(inner)) + self.downsample(x_BCHW)
        return F.max_pool2d(F.leaky_relu(inner, SLOPE, inplace=True), 2)


class ResNet12(Backbone):
    """Four blocks and mean pooling; features may be slightly negative."""

    feature_tensor = r"layer(\d+)\.(\d+)\.bn3\.weight"

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.stages = tuple(f"layer{number}" for number in range(1, len(widths) + 1))
        for stage, (inputs, outputs) in zip(
            self.stages, pairwise((channels, *widths)), strict=True
        ):
            self.add_module(stage, nn.Sequential(ThreeConvolutions(inputs, outputs)))
        self.feature_size = widths[-1]

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return (B, D) features, the mean over the pixels of the last map."""
        x_BCHW = images_BCHW
        for stage in self.stages:
            x_BCHW = getattr(self, stage)(x_BCHW)
        return x_BCHW.mean((2, 3))


def resnet12(
    options: ResNet12Options, sample_shape: tuple[int, ...], generator: torch.Generator
) -> Backbone:
    """Return ResNet-12 for images of at least 16 x 16 pixels, 84 x 84 as published."""
    channels = channels_of("resnet12", sample_shape)
    return initial("resnet12", options, lambda: ResNet12(channels, options.widths), generator)
