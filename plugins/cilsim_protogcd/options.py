"""Options of ProtoGCD."""

from typing import Annotated, Literal

from pydantic import Field

from cilsim import Options

Temperature = Annotated[float, Field(gt=0.0, le=10.0)]
Weight = Annotated[float, Field(ge=0.0, le=100.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class ProtoGCDOptions(Options):
    """Weights and temperatures; the defaults are those of the released commands for CIFAR-100."""

    start: Literal["supervised", "as_given"] = "supervised"
    """What the backbone is before the training: trained on the labelled samples with the
    scenario's `base_training`, or as it is, such as pretrained."""
    supervised_weight: Share = 0.35
    """Weight of the two terms that use labels; the others have the rest."""
    entropy_weight: Weight = 2.0
    """Weight of the entropy regulariser."""
    separation_weight: Weight = 0.1
    """Weight of the prototype separation (0.05 on CUB; the released code's default is 1)."""
    temperature: Temperature = 0.1
    """What cosines are divided by before the student's softmax."""
    teacher_temperature: Temperature = 0.05
    """The same for the pseudo-labels."""
    first_hard_share: Share = 0.0
    """Part of each view's rows with one-hot pseudo-labels in the first epoch (code default 0.2)."""
    last_hard_share: Share = 1.0
    """The same after the ramp."""
    ramp_epochs: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Epochs over which that part grows."""
    separation_temperature: Temperature = 0.1
    """Temperature of the prototype separation."""
    contrastive_temperature: Temperature = 1.0
    """Temperature of the contrastive loss without labels."""
    supervised_temperature: Temperature = 0.07
    """Temperature of the supervised contrastive loss."""
    hidden: Annotated[int, Field(ge=1, le=65_536)] = 2048
    """Width of the projection's hidden layers."""
    bottleneck: Annotated[int, Field(ge=1, le=65_536)] = 256
    """Size of the projection, in which the contrastive losses compare."""
