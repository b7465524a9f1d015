"""Options that all strategies built on `cilsim.strategy.cosine_discovery` have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cilsim.options import Options

Temperature = Annotated[float, Field(gt=0.0, le=100.0)]


class CosineDiscoveryOptions(Options):
    """Where the training starts, and its contrastive losses; defaults as released with SimGCD."""

    start: Literal["supervised", "as_given"] = "supervised"
    """What the backbone is before the training: trained on the labelled samples with the
    scenario's `base_training`, or as it is, such as pretrained."""
    supervised_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.35
    """Weight of the two terms that use labels; the others have the rest (released code)."""
    temperature: Temperature = 0.1
    """What cosines are divided by before the student's softmax (released code)."""
    contrastive_temperature: Temperature = 1.0
    """Temperature of the contrastive loss without labels (released code)."""
    supervised_temperature: Temperature = 0.07
    """Temperature of the supervised contrastive loss (released code)."""
    hidden: Annotated[int, Field(ge=1, le=65_536)] = 2048
    """Width of the projection's hidden layers (released code)."""
    bottleneck: Annotated[int, Field(ge=1, le=65_536)] = 256
    """Size of the projection, in which the contrastive losses compare (released code)."""
