"""Joint training on everything seen so far: the upper bound."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `joint`."""
    register(
        "joint",
        "cilsim_joint.strategy:Joint",
        options="cilsim_joint.options:JointOptions",
        summary="trains on all samples seen so far: the upper bound",
        aliases=("cumulative",),
        repeated_classes=True,
    )
