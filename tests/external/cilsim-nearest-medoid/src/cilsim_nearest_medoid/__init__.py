"""Nearest class medoid: a class is its most central training sample."""

from cilsim import hookimpl
from cilsim.registry import Register

from cilsim_nearest_medoid.options import NearestMedoidOptions

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `nearest_medoid`."""
    register(
        "nearest_medoid",
        "cilsim_nearest_medoid.strategy:NearestMedoid",
        options=NearestMedoidOptions,
        summary="nearest class medoid on a frozen backbone",
    )
