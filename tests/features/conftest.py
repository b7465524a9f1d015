from __future__ import annotations

import pytest
import torch

from cilsim.backbones.backbone import Backbone
from cilsim.backbones.dense import mlp
from cilsim.backbones.options import CifarResNetOptions, MlpOptions
from cilsim.backbones.residual import resnet20
from cilsim.data.samples import Samples


class Parts:
    """Backbones whose batch norms have seen something, and parts of samples."""

    def resnet(self, channels: int = 3, seed: int = 0) -> Backbone:
        generator = torch.Generator().manual_seed(seed)
        backbone = resnet20(CifarResNetOptions(), (channels, 8, 8), generator)
        with torch.no_grad():
            backbone.train()(torch.randn(8, channels, 8, 8, generator=generator))
        return backbone.eval()

    def mlp(self) -> Backbone:
        return mlp(MlpOptions(), (6,), torch.Generator().manual_seed(0))

    def images(self, count: int = 75, channels: int = 3) -> Samples:
        generator = torch.Generator().manual_seed(1)
        shape = (count, channels, 8, 8)
        x = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        mean, std = (0.5,) * channels, (0.25,) * channels
        return Samples(x, None, torch.arange(count), f"images-{count}", mean, std)

    def features(self, count: int = 75) -> Samples:
        x = torch.randn(count, 6, generator=torch.Generator().manual_seed(1))
        return Samples(x, None, torch.arange(count), f"features-{count}", (), ())

    def subset(self, samples: Samples, index: torch.Tensor) -> Samples:
        return Samples(
            samples.x[index], None, samples.index[index], "subset", samples.mean, samples.std
        )


@pytest.fixture
def parts() -> Parts:
    return Parts()
