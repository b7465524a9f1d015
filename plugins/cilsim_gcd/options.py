"""Options of GCD."""

from typing import Annotated, Literal

from pydantic import Field

from cilsim import Options

Temperature = Annotated[float, Field(gt=0.0, le=10.0)]


class GCDOptions(Options):
    """How features are learnt and clustered."""

    start: Literal["supervised", "as_given"] = "supervised"
    """What the backbone is before the contrastive training: trained on the labelled samples with
    the scenario's `base_training`, or as it is, such as pretrained."""
    contrastive: bool = True
    """Whether the backbone is trained with the two contrastive losses, by the recipe `training`;
    without it the features are frozen."""
    supervised_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.35
    """Weight of the supervised contrastive loss; the other has the rest (equation 3)."""
    temperature: Temperature = 1.0
    """Temperature of the contrastive loss without labels (released code)."""
    supervised_temperature: Temperature = 0.07
    """Temperature of the supervised contrastive loss (released code)."""
    hidden: Annotated[int, Field(ge=1, le=65_536)] = 2048
    """Width of the projection's hidden layers (released code)."""
    bottleneck: Annotated[int, Field(ge=1, le=65_536)] = 256
    """Size of the projection before its last layer (released code)."""
    outputs: Annotated[int, Field(ge=1, le=1_000_000)] = 65_536
    """Size of the space in which the losses compare (released code); small networks need less."""
    inits: Annotated[int, Field(ge=1, le=1000)] = 100
    """Starts of k-means; the one with the smallest inertia is kept (paper, appendix)."""
    iterations: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Largest number of iterations of each start (paper, appendix)."""
