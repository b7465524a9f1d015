"""Options of SimGCD."""

from typing import Annotated

from pydantic import Field

from cilsim.scenario.cosine_discovery_options import CosineDiscoveryOptions, Temperature


class SimGCDOptions(CosineDiscoveryOptions):
    """Weights and temperatures of the five terms of the loss."""

    entropy_weight: Annotated[float, Field(ge=0.0, le=100.0)] = 1.0
    """Weight of the mean-entropy maximisation (released commands: 4 on CIFAR-100, 2 on CUB)."""
    teacher_start: Temperature = 0.07
    """Temperature of the teacher at first (released code)."""
    teacher_end: Temperature = 0.04
    """Temperature of the teacher after its warm-up (released code)."""
    teacher_warmup_epochs: Annotated[int, Field(ge=0, le=100_000)] = 30
    """Epochs over which the teacher's temperature changes (released code)."""
