"""FeCAM, Mahalanobis distances to class means (Goswami et al., NeurIPS 2023)."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `fecam`."""
    register(
        "fecam",
        "cilsim_fecam.strategy:Fecam",
        options="cilsim_fecam.options:FecamOptions",
        summary="Mahalanobis distance to class means, a covariance per class",
    )
