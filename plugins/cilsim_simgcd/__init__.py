"""SimGCD: one cosine classifier over old and novel classes, taught by its own predictions.

Wen, Zhao, Qi: Parametric Classification for Generalized Category Discovery: A Baseline Study,
ICCV 2023.
"""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `simgcd`."""
    register(
        "simgcd",
        "cilsim_simgcd.strategy:SimGCD",
        options="cilsim_simgcd.options:SimGCDOptions",
        summary="self-distilled cosine classifier over old and novel classes (Wen et al. 2023)",
        serves=(
            "generalized_category_discovery",
            "novel_class_discovery",
            "continual_category_discovery",
            "mixed",
        ),
        check_options={"hidden": 16, "bottleneck": 8},
    )
