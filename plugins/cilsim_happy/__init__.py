"""Happy: continual category discovery that neither prefers old classes nor forgets them.

Ma et al.: Happy: A Debiased Learning Framework for Continual Generalized Category Discovery,
NeurIPS 2024.
"""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `happy`."""
    register(
        "happy",
        "cilsim_happy.strategy:Happy",
        options="cilsim_happy.options:HappyOptions",
        summary="rows from clusters, group entropies, hard prototypes replayed (Ma et al. 2024)",
        serves=(
            "continual_category_discovery",
            "novel_class_discovery",
            "mixed",
            "generalized_category_discovery",
        ),
        check_options={"hidden": 16, "bottleneck": 8},
    )
