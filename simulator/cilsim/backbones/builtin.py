"""Which backbones the core brings; nothing here imports what they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class BackboneDeclaration:
    """One built-in backbone.

    Attributes:
        name: as in a scenario.
        load: `module:function`, called with (options, sample_shape, generator).
        options: `module:class`, the model that validates its options.
        summary: one line for `cilsim list backbones`.
        accepts: what its samples are.
        check: `module:function`, told (options, facts of the data set); yields complaints.
        normalisation: `module:function`, from options to the moments that images are normalised
            by, or None for those of the data set.
        weights: `module:function`, from options to what identifies the file of weights.
    """

    name: str
    load: str
    options: str
    summary: str
    accepts: Literal["images", "features"]
    check: str | None = "cilsim.backbones.pretrained:check"
    normalisation: str | None = "cilsim.backbones.pretrained:normalisation"
    weights: str | None = "cilsim.backbones.weight_files:identity"


BACKBONES: tuple[BackboneDeclaration, ...] = (
    BackboneDeclaration(
        name="small",
        load="cilsim.backbones.residual:small",
        options="cilsim.backbones.options:SmallOptions",
        summary="three residual blocks after a stem of stride 2; 173 thousand parameters",
        accepts="images",
    ),
    BackboneDeclaration(
        name="resnet20",
        load="cilsim.backbones.residual:resnet20",
        options="cilsim.backbones.options:CifarResNetOptions",
        summary="ResNet-20 for 32x32 images, widths 16-32-64; 272 thousand parameters",
        accepts="images",
    ),
    BackboneDeclaration(
        name="resnet32",
        load="cilsim.backbones.residual:resnet32",
        options="cilsim.backbones.options:CifarResNetOptions",
        summary="ResNet-32 for 32x32 images, widths 16-32-64; 466 thousand parameters",
        accepts="images",
    ),
    BackboneDeclaration(
        name="resnet18_cifar",
        load="cilsim.backbones.residual:resnet18_cifar",
        options="cilsim.backbones.options:ResNetOptions",
        summary="ResNet-18 with a 3x3 stem, for 32x32 images; 11.2 million parameters",
        accepts="images",
    ),
    BackboneDeclaration(
        name="resnet18",
        load="cilsim.backbones.residual:resnet18",
        options="cilsim.backbones.options:ImageNetResNetOptions",
        summary="ResNet-18 with the ImageNet stem, as in torchvision; 11.2 million parameters",
        accepts="images",
    ),
    BackboneDeclaration(
        name="resnet12",
        load="cilsim.backbones.resnet12:resnet12",
        options="cilsim.backbones.resnet12_options:ResNet12Options",
        summary="ResNet-12 of few-shot learning, widths 64-160-320-640; 12.4 million parameters",
        accepts="images",
        check="cilsim.backbones.resnet12_options:check_resnet12",
    ),
    BackboneDeclaration(
        name="wide_resnet",
        load="cilsim.backbones.wide_residual:wide_resnet",
        options="cilsim.backbones.options:WideResNetOptions",
        summary="WRN-28-10 and other wide ResNets, for 32x32 images; 36.5 million parameters",
        accepts="images",
    ),
    BackboneDeclaration(
        name="vit_b_16",
        load="cilsim.backbones.transformer:vit_b_16",
        options="cilsim.backbones.transformer_options:VitOptions",
        summary="vision transformer ViT-B/16 on 224x224 images; 85.8 million parameters",
        accepts="images",
    ),
    BackboneDeclaration(
        name="timm",
        load="cilsim.backbones.timm_models:timm_backbone",
        options="cilsim.backbones.timm_options:TimmOptions",
        summary="any model of the package timm by its name; needs cilsim[timm]",
        accepts="images",
        check="cilsim.backbones.timm_options:check_timm",
        normalisation="cilsim.backbones.timm_models:normalisation",
        weights="cilsim.backbones.timm_models:identity",
    ),
    BackboneDeclaration(
        name="mlp",
        load="cilsim.backbones.dense:mlp",
        options="cilsim.backbones.options:MlpOptions",
        summary="fully connected layers with ReLU, for features or tabular data",
        accepts="features",
        check=None,
        normalisation=None,
        weights=None,
    ),
    BackboneDeclaration(
        name="identity",
        load="cilsim.backbones.dense:identity",
        options="cilsim.backbones.options:IdentityOptions",
        summary="passes ready features through; nothing to train",
        accepts="features",
        check=None,
        normalisation=None,
        weights=None,
    ),
)
