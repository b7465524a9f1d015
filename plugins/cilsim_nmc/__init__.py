"""NMC, the nearest class mean on a frozen backbone (Janson et al. 2022; Zhou et al. 2023)."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `nmc`."""
    register(
        "nmc",
        "cilsim_nmc.strategy:Nmc",
        options="cilsim_nmc.options:NmcOptions",
        summary="nearest class mean on a frozen backbone",
        aliases=("ncm",),
        repeated_classes=True,
    )
