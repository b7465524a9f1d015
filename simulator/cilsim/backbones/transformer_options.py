"""Options of `vit_b_16`; nothing here imports torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from cilsim.backbones.pretrained import ResizedOptions

BLOCKS = 12
"""Transformer blocks of ViT-B."""


class VitOptions(ResizedOptions):
    """Options of `vit_b_16`."""

    torchvision_model: ClassVar[str] = "vit_b_16"

    weights: Annotated[
        Literal["none", "imagenet1k_v1", "imagenet1k_swag_e2e_v1", "imagenet1k_swag_linear_v1"]
        | Path,
        Field(union_mode="left_to_right"),
    ] = "none"
    """Weights to start from: none (random ones), those of torchvision by name, or a .safetensors,
    .pt or .pth file; imagenet1k_swag_e2e_v1 is for image_size 384."""
    image_size: Annotated[int, Field(ge=16, le=1024, multiple_of=16)] = 224
    """Side in pixels of the images that the network gets, a multiple of 16; weights are for one
    size."""
    features: Literal["class_token", "patch_mean"] = "class_token"
    """What is taken after the last layer norm: the class token, or the mean of all others."""
    trainable_blocks: Literal["all"] | Annotated[int, Field(ge=0, le=BLOCKS)] = "all"
    """How many of the 12 blocks train, counted from the last; all trains the embedding too."""
    train_final_norm: bool | None = None
    """Whether the last layer norm trains; without it, if all blocks do."""
    norm_eps: Annotated[float, Field(gt=0.0, le=1e-2)] = 1e-6
    """Summand in the layer norms: 1e-6 in torchvision, timm and DINO."""

    @model_validator(mode="after")
    def _something_trains(self) -> VitOptions:
        asked = self.trainable_blocks not in ("all", 0) or self.train_final_norm
        if self.frozen and asked:
            raise ValueError("frozen leaves nothing to train; leave out frozen or what trains")
        return self
