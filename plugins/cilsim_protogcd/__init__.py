"""ProtoGCD: prototypes of old and novel classes under one objective, with adaptive pseudo-labels.

Ma, Zhu, Zhang, Liu: ProtoGCD: Unified and Unbiased Prototype Learning for Generalized Category
Discovery, TPAMI 2025.
"""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `protogcd`."""
    register(
        "protogcd",
        "cilsim_protogcd.strategy:ProtoGCD",
        options="cilsim_protogcd.options:ProtoGCDOptions",
        summary="prototypes with dual-level adaptive pseudo-labels (Ma et al. 2025)",
        serves=(
            "generalized_category_discovery",
            "novel_class_discovery",
            "continual_category_discovery",
            "mixed",
        ),
        check_options={"hidden": 16, "bottleneck": 8},
    )
