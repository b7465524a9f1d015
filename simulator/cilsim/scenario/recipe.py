"""How a network is trained: optimiser, schedule, augmentation, precision."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from cilsim.options import Options

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Augmentation(Options):
    """Random changes of each training image, drawn per image and applied to whole batches.

    Order: crop, flip, colour, cutout, normalisation.
    """

    crop_padding: Annotated[int, Field(ge=0, le=64)] = 0
    """Pixels of padding on each side before a random crop back to the image size; 0 is off."""
    crop_fill: Literal["zero", "reflect"] = "zero"
    """What the padding holds: black pixels or the mirrored image."""
    flip: bool = False
    """Mirror left and right with probability 0.5."""
    brightness: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Factor drawn from [1 - b, 1 + b]."""
    contrast: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Factor drawn from [1 - c, 1 + c], around the mean grey value of the image."""
    saturation: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Factor drawn from [1 - s, 1 + s], between the image and its grey version."""
    cutout: Annotated[int, Field(ge=0, le=256)] = 0
    """Side of one black square in pixels, centre uniform over the image, clipped at the border."""


class Recipe(Options):
    """A training recipe; `base_training` and `training` of a scenario are of this form."""

    epochs: Annotated[int, Field(ge=0, le=100_000)] = 100
    """Passes over the training samples."""
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 128
    """Samples per optimiser step; the last, smaller batch is kept."""
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    """Optimiser."""
    lr: Annotated[float, Field(gt=0.0, le=100.0)] = 0.1
    """Peak learning rate."""
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9
    """Momentum of SGD."""
    nesterov: bool = True
    """Nesterov momentum (SGD with momentum only)."""
    weight_decay: Annotated[float, Field(ge=0.0, le=1.0)] = 5e-4
    """Weight decay on all parameters."""
    schedule: Literal["constant", "cosine", "step", "one_cycle"] = "cosine"
    """Learning rate over the training: cosine to 0; `gamma` at each milestone; one_cycle rises
    linearly over the first quarter and falls linearly to 0."""
    schedule_interval: Literal["epoch", "step"] = "epoch"
    """Whether the learning rate changes after each epoch (as in the papers) or each step."""
    milestones: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """Epochs at which the step schedule multiplies the learning rate by `gamma`."""
    gamma: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    """Factor of the step schedule."""
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    """Epochs of linear warm-up from 0 before the schedule starts."""
    label_smoothing: Fraction = 0.0
    """Label smoothing of the cross-entropy."""
    clip_gradient_norm: Annotated[float, Field(gt=0.0)] | None = None
    """Largest norm of the gradient, or none."""
    augmentation: Augmentation = Augmentation()
    """Random changes of the training images."""
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    """Autocast precision of the forward pass; fp16 scales the loss and needs CUDA."""
    channels_last: bool = True
    """Memory layout of images and convolution weights."""
    compile: bool = False
    """Compile the backbone with torch.compile before training."""

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.schedule == "step" and not self.milestones:
            raise ValueError("schedule 'step' needs milestones, for example [60, 80]")
        if self.milestones and self.schedule != "step":
            raise ValueError(f"milestones are used by schedule 'step', not '{self.schedule}'")
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError("milestones must ascend without repetition")
        if self.warmup_epochs and self.warmup_epochs >= self.epochs:
            raise ValueError("warmup_epochs must be smaller than epochs")
        return self
