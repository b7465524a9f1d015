"""TEEN, training-free prototype calibration (Wang et al., NeurIPS 2023)."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `teen` as a strategy of its own."""
    register(
        "teen",
        "cilsim_teen.strategy:Teen",
        options="cilsim_teen.options:TeenOptions",
        summary="nearest class mean with new prototypes pulled towards similar base prototypes",
    )


@hookimpl
def cilsim_register_calibrators(register: Register) -> None:
    """Register `teen` as a calibrator over any strategy that keeps prototypes."""
    register(
        "teen",
        "cilsim_teen.calibrator:TeenCalibrator",
        options="cilsim_teen.options:TeenCalibratorOptions",
        summary="pulls new prototypes towards similar base prototypes",
    )
