"""SSRE, self-sustaining representation expansion (Zhu et al., CVPR 2022)."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `ssre`."""
    register(
        "ssre",
        "cilsim_ssre.strategy:Ssre",
        options="cilsim_ssre.options:SsreOptions",
        summary="side branches of a frozen residual network, merged into it after each experience",
    )
