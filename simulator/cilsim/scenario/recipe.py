"""How a network is trained: optimiser, schedule, augmentation, precision."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from cilsim.options import Options

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Area = Annotated[float, Field(gt=0.0, le=1.0)]
Aspect = Annotated[float, Field(gt=0.0, le=100.0)]


class Augmentation(Options):
    """Random changes of each training image, drawn per image and applied to whole batches.

    Order: crop, flip, AutoAugment, colour, cutout, normalisation. The crop is a padded one or a
    resized one; where the data set has larger images than the backbone gets, any crop gives the
    size that it gets, and without one the centre is cut out.
    """

    crop_padding: Annotated[int, Field(ge=0, le=64)] = 0
    """Pixels of padding on each side before a random crop back to the image size, or to the size
    that the data set crops to; 0 is off."""
    crop_fill: Literal["zero", "reflect"] = "zero"
    """What the padding holds: black pixels or the mirrored image."""
    random_resized_crop: bool = False
    """Cut out a window of random area and aspect and resize it (bilinear, antialiased)."""
    resized_crop_scale: tuple[Area, Area] = (0.08, 1.0)
    """Area of the window, as a fraction of the image's (default of torchvision)."""
    resized_crop_ratio: tuple[Aspect, Aspect] = (3 / 4, 4 / 3)
    """Width by height of the window, drawn on a logarithmic scale (default of torchvision)."""
    resized_crop_size: Annotated[int, Field(ge=8, le=1024)] | None = None
    """Side of what it is resized to; none is the size of test images."""
    flip: bool = False
    """Mirror left and right with probability 0.5."""
    autoaugment: Literal["cifar10", "imagenet"] | None = None
    """Policy of AutoAugment (Cubuk et al. 2019), one sub-policy per image, as the few-shot papers
    FACT and TEEN run it: grey fill, rotation one way only, 24 sub-policies for `imagenet`."""
    brightness: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Factor drawn from [1 - b, 1 + b]."""
    contrast: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Factor drawn from [1 - c, 1 + c], around the mean grey value of the image."""
    saturation: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Factor drawn from [1 - s, 1 + s], between the image and its grey version."""
    cutout: Annotated[int, Field(ge=0, le=256)] = 0
    """Side of one black square in pixels, centre uniform over the image, clipped at the border."""

    @model_validator(mode="after")
    def _consistent(self) -> Augmentation:
        if self.random_resized_crop and self.crop_padding:
            raise ValueError("crop_padding and random_resized_crop are two crops; use one of them")
        for name in ("scale", "ratio"):
            low, high = getattr(self, f"resized_crop_{name}")
            if low > high:
                raise ValueError(f"resized_crop_{name} must ascend, found [{low:g}, {high:g}]")
        return self


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
    final_lr: Fraction = 0.0
    """Where the cosine schedule ends, as a fraction of the peak learning rate."""
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
    """Compile the backbone with torch.compile, once for the full batches of all trainings."""

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
