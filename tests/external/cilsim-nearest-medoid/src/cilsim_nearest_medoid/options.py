"""Options of the nearest class medoid."""

from typing import Literal

from cilsim import Options


class NearestMedoidOptions(Options):
    """How near is measured."""

    distance: Literal["euclidean", "manhattan"] = "euclidean"
    """Distance between features."""
