"""Options of FRoST and the presets that set several of them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from cilsim.options import PresetOptions

Weight = Annotated[float, Field(ge=0.0, le=10_000.0)]

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "cifar10": {"ramp_epochs": 50, "consistency_weight": 5.0, "replay_samples": 20},
    "cifar100": {"ramp_epochs": 300, "consistency_weight": 25.0, "replay_samples": 2},
    "tiny_imagenet": {"ramp_epochs": 150, "consistency_weight": 50.0, "replay_samples": 3},
    "two_stages": {"ramp_epochs": 150, "consistency_weight": 50.0},
}


class FrostOptions(PresetOptions):
    """A preset, and what is set besides it; the defaults are those of CIFAR-100 in one stage."""

    presets = PRESETS

    preset: Literal["cifar10", "cifar100", "tiny_imagenet", "two_stages"] | None = None
    """Values of the released commands: `cifar10`, `cifar100`, `tiny_imagenet` for one stage of 300
    epochs, `two_stages` for two of 200 on CIFAR-100 or Tiny ImageNet (it leaves
    `replay_samples`)."""
    ramp_epochs: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Epochs over which `consistency_weight` and `self_training_weight` rise to their full value;
    without it, those of the training, as in the released command for CIFAR-100."""
    consistency_weight: Weight = 25.0
    """Weight of the squared difference between the novel head's predictions of two views (ramp-up
    coefficient of the released commands)."""
    self_training_weight: Weight = 0.01
    """Weight of the joint head's cross-entropy with the novel head's clusters (increment
    coefficient of the released code, whose ramp-up coefficient cancels)."""
    top_k: Annotated[int, Field(ge=1, le=256)] = 5
    """Two images belong together if their k largest features are the same ones (released code)."""
    replay_samples: Annotated[int, Field(ge=0, le=100_000)] = 2
    """Features drawn of each earlier class in each step (released commands: 20, 2 and 3 on
    CIFAR-10, CIFAR-100 and Tiny ImageNet)."""
    replay_weight: Weight = 1.0
    """Weight of the cross-entropy of drawn features (released code)."""
    distillation_weight: Weight = 10.0
    """Weight of the distance to the features of the model before the stage (released code)."""
    frozen_prefixes: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """What the names of parameters begin with that stages after the base leave as they are; the
    released code trains a ResNet from its second stage on: [conv1, bn1, layer1]."""
