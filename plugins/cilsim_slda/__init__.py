"""SLDA, streaming linear discriminant analysis (Hayes and Kanan, CVPR Workshops 2020)."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `slda`."""
    register(
        "slda",
        "cilsim_slda.strategy:Slda",
        options="cilsim_slda.options:SldaOptions",
        summary="class means and one streaming covariance on a frozen backbone",
        aliases=("deep_slda",),
        repeated_classes=True,
    )
