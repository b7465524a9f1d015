"""Options of the nearest class mean."""

from typing import Literal

from cilsim import Options


class NmcOptions(Options):
    """Which mean, which distance."""

    metric: Literal["cosine", "euclidean", "euclidean_normalised"] = "cosine"
    """`cosine`: raw means, cosine (ProtoNet rows of the few-shot tables; SimpleCIL, Zhou et al.
    2023). `euclidean`: raw means, Euclidean distance. `euclidean_normalised`: means of
    L2-normalised features, not normalised again, Euclidean distance to the normalised feature
    (Janson et al. 2022)."""
