"""GCD k-means: contrastive features, then k-means in which labelled samples stay where they are.

Vaze, Han, Vedaldi, Zisserman: Generalized Category Discovery, CVPR 2022.
"""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `gcd`."""
    register(
        "gcd",
        "cilsim_gcd.strategy:GCD",
        options="cilsim_gcd.options:GCDOptions",
        summary="contrastive features and semi-supervised k-means (Vaze et al. 2022)",
        serves=(
            "generalized_category_discovery",
            "novel_class_discovery",
            "continual_category_discovery",
            "mixed",
        ),
        check_options={"hidden": 16, "bottleneck": 8, "outputs": 32, "inits": 2},
    )
