"""Wide residual networks (Zagoruyko and Komodakis 2016) for small images, in plain torch.

Axis letters: B batch, C channels, H W pixels, D features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cilsim.backbones.backbone import Backbone, channels_of
from cilsim.backbones.initial import initial
from cilsim.backbones.options import WideResNetOptions

WIDTHS = (16, 32, 64)
"""Channels of the three stages, which the factor multiplies (table 1)."""

LAYERS_BESIDE_BLOCKS = 4
"""Depth is 6 N + 4 for N blocks in each stage."""


class PreActivationBlock(nn.Module):
    """Batch norm, ReLU and a 3x3 convolution, twice, added to the input; B(3,3) of the paper."""

    folds = (("conv1", "bn2"),)

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.downsample: nn.Module | None = None
        if inputs != outputs or stride != 1:
            self.downsample = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the block's output, of any sign."""
        active = F.relu(self.bn1(x_BCHW))
        passed = x_BCHW if self.downsample is None else self.downsample(active)
        inner: Tensor = self.conv2(F.relu(self.bn2(self.conv1(active)), inplace=True))
        return inner + passed


class WideResidualNet(Backbone):
    """A 3x3 stem, three stages, batch norm, ReLU and mean pooling; features are not negative."""

    feature_tensor = r"layer(\d+)\.(\d+)\.bn2\.weight"

    def __init__(self, channels: int, depth: int, factor: int) -> None:
        super().__init__()
        blocks = (depth - LAYERS_BESIDE_BLOCKS) // 6
        inputs = WIDTHS[0]
        self.conv1 = nn.Conv2d(channels, inputs, 3, padding=1, bias=False)
        self.stages = tuple(f"layer{number}" for number in range(1, len(WIDTHS) + 1))
        for stage, width in zip(self.stages, WIDTHS, strict=True):
            outputs = width * factor
            first = PreActivationBlock(inputs, outputs, 1 if stage == "layer1" else 2)
            rest = (PreActivationBlock(outputs, outputs, 1) for _ in range(blocks - 1))
            self.add_module(stage, nn.Sequential(first, *rest))
            inputs = outputs
        self.bn1 = nn.BatchNorm2d(inputs)
        self.feature_size = inputs

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return (B, D) features, the mean over the pixels of the last map."""
        x_BCHW = self.conv1(images_BCHW)
        for stage in self.stages:
            x_BCHW = getattr(self, stage)(x_BCHW)
        return F.relu(self.bn1(x_BCHW), inplace=True).mean((2, 3))


def wide_resnet(
    options: WideResNetOptions, sample_shape: tuple[int, ...], generator: torch.Generator
) -> Backbone:
    """Return a wide residual network; D is 64 times the factor."""
    channels = channels_of("wide_resnet", sample_shape)
    return initial(
        "wide_resnet",
        options,
        lambda: WideResidualNet(channels, options.depth, options.factor),
        generator,
    )
