"""RanPAC, random projections and ridge regression (McDonnell et al., NeurIPS 2023)."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `ranpac`."""
    register(
        "ranpac",
        "cilsim_ranpac.strategy:Ranpac",
        options="cilsim_ranpac.options:RanpacOptions",
        summary="ridge regression on random ReLU features of a frozen backbone",
        repeated_classes=True,
        check_options={"random_features": 64},
    )
