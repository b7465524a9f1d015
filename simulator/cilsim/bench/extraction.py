"""Extraction of features against an evaluation loop written by hand around the same network.

Both pass the same chunks in the same layout, so that their features are equal; a prediction here is
the largest feature of an image.

Axis letters: B chunk, C channels, H W pixels, D features.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from cilsim.backbones.options import CifarResNetOptions, ResNetOptions, SmallOptions
from cilsim.backbones.residual import resnet18_cifar, resnet20, small
from cilsim.backbones.transformer import vit_b_16
from cilsim.backbones.transformer_options import VitOptions
from cilsim.bench.rounds import Arm, Contestants, Decisions, Goal
from cilsim.bench.training import MEAN, STD, random_images
from cilsim.data.normalise import normalise
from cilsim.data.samples import Samples
from cilsim.features.chunks import chunk_for
from cilsim.features.extract import extract
from cilsim.training.modes import set_layout

Net = Callable[[torch.Generator], nn.Module]


def bare(net: nn.Module, samples: Samples) -> Callable[[], Decisions]:
    """Return an evaluation loop over chunks of the images."""
    net.eval()
    chunk = chunk_for(net, samples, samples.device)

    def evaluate() -> Decisions:
        rows = []
        with torch.inference_mode():
            for images_BCHW in torch.split(samples.x[:], chunk):
                rows.append(net(normalise(images_BCHW, MEAN, STD, channels_last=True)))
        largest: Decisions = torch.cat(rows).argmax(1).cpu().numpy()
        return largest

    return evaluate


def engine(net: nn.Module, samples: Samples) -> Callable[[], Decisions]:
    """Return the engine's extraction of the same images."""

    def evaluate() -> Decisions:
        largest: Decisions = extract(net, samples).argmax(1).cpu().numpy()
        return largest

    return evaluate


def arm(net: Net, count: int, side: int, summary: str) -> Arm:
    """Return the comparison for a network and a number of images of one size."""

    def build(device: torch.device) -> Contestants:
        backbone = net(torch.Generator().manual_seed(0)).to(device)
        set_layout([backbone], channels_last=True)
        samples = random_images(count, side, device)
        return {"bare": bare(backbone, samples), "cilsim": engine(backbone, samples)}

    return Arm(
        f"features of {summary}", "bare", build, count, "image",
        (Goal("cilsim", 0.95, 0.95),), agreement=1.0,
    )  # fmt: skip


def _small(generator: torch.Generator) -> nn.Module:
    return small(SmallOptions(), (3, 32, 32), generator)


def _resnet20(generator: torch.Generator) -> nn.Module:
    return resnet20(CifarResNetOptions(), (3, 32, 32), generator)


def _resnet18(generator: torch.Generator) -> nn.Module:
    return resnet18_cifar(ResNetOptions(), (3, 32, 32), generator)


def _vit(generator: torch.Generator) -> nn.Module:
    return vit_b_16(VitOptions(), (3, 224, 224), generator)


EXTRACT_SMALL = arm(_small, 2048, 32, "2048 images of 32x32 by `small`")
EXTRACT_RESNET20 = arm(_resnet20, 1024, 32, "1024 images of 32x32 by ResNet-20")
EXTRACT_RESNET18 = arm(_resnet18, 256, 32, "256 images of 32x32 by ResNet-18 with a 3x3 stem")
EXTRACT_VIT = arm(_vit, 16, 224, "16 images of 224x224 by ViT-B/16")
