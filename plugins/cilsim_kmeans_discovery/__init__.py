"""k-means on the features of a frozen backbone: the floor of novel discovery."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `kmeans_discovery`."""
    register(
        "kmeans_discovery",
        "cilsim_kmeans_discovery.strategy:KMeansDiscovery",
        options="cilsim_kmeans_discovery.options:KMeansDiscoveryOptions",
        summary="class means for labelled classes, k-means centres for the others",
        serves=(
            "novel_class_discovery",
            "generalized_category_discovery",
            "continual_category_discovery",
            "mixed",
        ),
    )
