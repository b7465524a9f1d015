"""Options of SimGCD."""

from typing import Annotated, Literal

from pydantic import Field

from cilsim import Options

Temperature = Annotated[float, Field(gt=0.0, le=10.0)]


class SimGCDOptions(Options):
    """Weights and temperatures of the five terms of the loss."""

    start: Literal["supervised", "as_given"] = "supervised"
    """What the backbone is before the training: trained on the labelled samples with the
    scenario's `base_training`, or as it is, such as pretrained."""
    supervised_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.35
    """Weight of the two terms that use labels; the others have the rest (released code)."""
    entropy_weight: Annotated[float, Field(ge=0.0, le=100.0)] = 1.0
    """Weight of the mean-entropy maximisation (released commands: 4 on CIFAR-100, 2 on CUB)."""
    temperature: Temperature = 0.1
    """What cosines are divided by before the student's softmax (released code)."""
    teacher_start: Temperature = 0.07
    """Temperature of the teacher at first (released code)."""
    teacher_end: Temperature = 0.04
    """Temperature of the teacher after its warm-up (released code)."""
    teacher_warmup_epochs: Annotated[int, Field(ge=0, le=100_000)] = 30
    """Epochs over which the teacher's temperature changes (released code)."""
    contrastive_temperature: Temperature = 1.0
    """Temperature of the contrastive loss without labels (released code)."""
    supervised_temperature: Temperature = 0.07
    """Temperature of the supervised contrastive loss (released code)."""
    hidden: Annotated[int, Field(ge=1, le=65_536)] = 2048
    """Width of the projection's hidden layers (released code)."""
    bottleneck: Annotated[int, Field(ge=1, le=65_536)] = 256
    """Size of the projection, in which the contrastive losses compare (released code)."""
