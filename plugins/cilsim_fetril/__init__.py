"""FeTrIL, feature translation for exemplar-free learning (Petit et al., WACV 2023)."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `fetril`."""
    register(
        "fetril",
        "cilsim_fetril.strategy:Fetril",
        options="cilsim_fetril.options:FetrilOptions",
        summary="linear classifier on pseudo-features: new features moved to old class means",
    )
