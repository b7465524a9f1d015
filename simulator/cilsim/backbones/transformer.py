"""Vision transformers (Dosovitskiy et al. 2021), in plain torch.

Parameter names are those of timm and DINO: cls_token, pos_embed, patch_embed.proj,
blocks.0.norm1, blocks.0.attn.qkv, blocks.0.mlp.fc1, norm.

Axis letters: B batch, C channels, H W pixels, T tokens, D features.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cilsim.backbones.backbone import Backbone, channels_of
from cilsim.backbones.initial import initial
from cilsim.backbones.resizing import Resizing, resizing
from cilsim.backbones.transformer_options import BLOCKS, VitOptions

SPREAD = 0.02
"""Standard deviation of the initial weights, cut off at two of it."""


@dataclass(frozen=True)
class VitSize:
    """How large a vision transformer is.

    Attributes:
        image: side of the images in pixels.
        patch: side of the patches.
        width: D.
        depth: blocks.
        heads: of the attention.
    """

    image: int = 224
    patch: int = 16
    width: int = 768
    depth: int = BLOCKS
    heads: int = 12


class Attention(nn.Module):
    """Self-attention of all tokens to all tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens_BTD: Tensor) -> Tensor:
        """Return (B, T, D)."""
        shape = (*tokens_BTD.shape[:2], 3, self.heads, -1)
        query, key, value = self.qkv(tokens_BTD).view(shape).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)  # (B, heads, T, D / heads)
        projected: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return projected


class Block(nn.Module):
    """Attention and two linear layers, each after a layer norm and added to its input."""

    def __init__(self, width: int, heads: int, eps: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps)
        layers = {
            "fc1": nn.Linear(width, 4 * width),
            "act": nn.GELU(),
            "fc2": nn.Linear(4 * width, width),
        }
        self.mlp = nn.Sequential(OrderedDict(layers))

    def forward(self, tokens_BTD: Tensor) -> Tensor:
        """Return (B, T, D)."""
        tokens_BTD = tokens_BTD + self.attn(self.norm1(tokens_BTD))
        out_BTD: Tensor = tokens_BTD + self.mlp(self.norm2(tokens_BTD))
        return out_BTD


class VisionTransformer(Backbone):
    """Patches and a class token with learnt positions, blocks, and a layer norm."""

    feature_tensor = r"norm\.weight"

    def __init__(
        self,
        channels: int,
        size: VitSize,
        *,
        resizing: Resizing | None = None,
        features: Literal["class_token", "patch_mean"] = "class_token",
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self.resizing = Resizing(size.image) if resizing is None else resizing
        patches = nn.Conv2d(channels, size.width, size.patch, stride=size.patch)
        self.patch_embed = nn.Sequential(OrderedDict(proj=patches))
        self.cls_token = nn.Parameter(torch.empty(1, 1, size.width))
        tokens = (size.image // size.patch) ** 2 + 1
        self.pos_embed = nn.Parameter(torch.empty(1, tokens, size.width))
        self.blocks = nn.Sequential(
            *(Block(size.width, size.heads, eps) for _ in range(size.depth))
        )
        self.norm = nn.LayerNorm(size.width, eps)
        self.features = features
        self.feature_size = size.width

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return (B, D): the class token after the last layer norm, or the mean of all others."""
        patches_BTD = self.patch_embed(self.resizing(images_BCHW)).flatten(2).transpose(1, 2)
        class_B1D = self.cls_token.expand(len(patches_BTD), -1, -1)
        placed_BTD = torch.cat([class_B1D, patches_BTD], 1) + self.pos_embed
        tokens_BTD: Tensor = self.norm(self.blocks(placed_BTD))
        return tokens_BTD[:, 0] if self.features == "class_token" else tokens_BTD[:, 1:].mean(1)

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights and positions from a cut-off normal distribution; biases are zero."""
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                nn.init.trunc_normal_(
                    parameter, std=SPREAD, a=-2 * SPREAD, b=2 * SPREAD, generator=generator
                )
            else:
                nn.init.constant_(parameter, 0.0 if name.endswith("bias") else 1.0)

    def train_last(self, blocks: int | Literal["all"], final_norm: bool | None) -> None:
        """Freeze all but the last `blocks`; the last layer norm trains if asked for.

        Category discovery trains the last block only and leaves the norm (Vaze et al. 2022).
        """
        everything = blocks == "all"
        self.requires_grad_(everything)
        if blocks != "all":
            for block in list(self.blocks)[len(self.blocks) - blocks :]:
                block.requires_grad_(True)
        self.norm.requires_grad_(everything if final_norm is None else final_norm)


def vit_b_16(
    options: VitOptions, sample_shape: tuple[int, ...], generator: torch.Generator
) -> Backbone:
    """Return ViT-B/16: patches of 16 pixels, 12 blocks of 12 heads; D is 768."""
    return vision_transformer("vit_b_16", VitSize(), options, sample_shape, generator)


def vision_transformer(
    name: str,
    size: VitSize,
    options: VitOptions,
    sample_shape: tuple[int, ...],
    generator: torch.Generator,
) -> Backbone:
    """Return a vision transformer of another size, for a plugin that has one under its own name.

    Args:
        name: as in a scenario.
        size: how large it is; its images are of the size that the options say.
        options: as for `vit_b_16`.
        sample_shape: (C, H, W) of the images.
        generator: draws the weights if none are given.
    """
    size = replace(size, image=options.image_size)
    channels = channels_of(name, sample_shape)

    def make() -> VisionTransformer:
        net = VisionTransformer(
            channels, size, resizing=resizing(options), features=options.features,
            eps=options.norm_eps,
        )  # fmt: skip
        net.train_last(options.trainable_blocks, options.train_final_norm)
        return net

    return initial(name, options, make, generator)
