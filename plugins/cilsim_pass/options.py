"""Options of PASS; defaults are the released CIFAR-100 and TinyImageNet scripts."""

from typing import Annotated, Literal

from pydantic import Field

from cilsim import Options

Weight = Annotated[float, Field(ge=0.0, le=1e6)]


class PassOptions(Options):
    """What is added to the cross-entropy, and how prototypes are made."""

    prototype_weight: Weight = 10.0
    """Weight of the cross-entropy on augmented prototypes (released `protoAug_weight`, 10)."""
    distillation_weight: Weight = 10.0
    """Weight of the distance to the old backbone's features (released `kd_weight`, 10). The
    distance is the norm over the whole batch, so it grows with the root of the batch size (64)."""
    temperature: Annotated[float, Field(gt=0.0, le=1000.0)] = 0.1
    """Logits are divided by it in training (released `temp`, 0.1; 1 in the ImageNet-Subset
    script)."""
    rotations: Literal[1, 4] = 4
    """4: every image in four rotations, each a class of its own (released code). 1: no rotations,
    for samples that are not square images."""
    prototype_images: Literal["augmented", "plain"] = "augmented"
    """`augmented`: class means over training images as the recipe augments them (released code).
    `plain`: under the test transform (PyCIL)."""
    radius: Literal["trace", "deviation"] = "trace"
    """Scale of the noise, from the base classes alone. `trace`: root of the mean over classes of
    the trace of the unbiased covariance per dimension (CIFAR-100, TinyImageNet). `deviation`: mean
    over classes and dimensions of the population standard deviation (ImageNet-Subset script)."""
    released_double_forward: bool = False
    """Pass each batch of a later experience through the backbone twice, as the CIFAR-100 and
    TinyImageNet scripts do: it moves the running statistics of batch norm twice per step and
    changes nothing else."""
