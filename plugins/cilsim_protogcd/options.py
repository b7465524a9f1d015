"""Options of ProtoGCD."""

from typing import Annotated

from pydantic import Field

from cilsim.scenario.cosine_discovery_options import CosineDiscoveryOptions, Temperature

Weight = Annotated[float, Field(ge=0.0, le=100.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class ProtoGCDOptions(CosineDiscoveryOptions):
    """Weights and temperatures; the defaults are those of the released commands for CIFAR-100."""

    entropy_weight: Weight = 2.0
    """Weight of the entropy regulariser."""
    separation_weight: Weight = 0.1
    """Weight of the prototype separation (0.05 on CUB; the released code's default is 1)."""
    teacher_temperature: Temperature = 0.05
    """What cosines are divided by before the softmax of the pseudo-labels."""
    first_hard_share: Share = 0.0
    """Part of each view's rows with one-hot pseudo-labels in the first epoch (code default 0.2)."""
    last_hard_share: Share = 1.0
    """The same after the ramp."""
    ramp_epochs: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Epochs over which that part grows."""
    separation_temperature: Temperature = 0.1
    """Temperature of the prototype separation."""
