"""iCaRL, exemplars, distillation and the nearest mean of exemplars (Rebuffi et al., CVPR 2017)."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `icarl`."""
    register(
        "icarl",
        "cilsim_icarl.strategy:Icarl",
        options="cilsim_icarl.options:IcarlOptions",
        summary="herded exemplars, distillation, nearest mean of exemplars",
        repeated_classes=True,
        check_options={"loss": "kd", "per_class": 4},
    )
