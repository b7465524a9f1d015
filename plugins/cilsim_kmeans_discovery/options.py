"""Options of the k-means baseline."""

from typing import Annotated

from pydantic import Field

from cilsim import Options


class KMeansDiscoveryOptions(Options):
    """How the clusters of a stage without labels are found."""

    inits: Annotated[int, Field(ge=1, le=1000)] = 10
    """Starts of k-means; the one with the smallest inertia is kept."""
    iterations: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Largest number of Lloyd iterations of each start."""
    normalise: bool = True
    """Cluster L2-normalised features, so that the distance is a cosine distance."""
