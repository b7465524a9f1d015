"""Options of RanPAC and the presets that set several of them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from cilsim.options import PresetOptions

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "safe": {"random_features": 1000, "ridge": "accumulated", "head": "linear"},
    "official": {"random_features": 10_000, "ridge": "per_experience", "head": "linear"},
    "pilot": {"random_features": 10_000, "ridge": "per_experience", "head": "cosine"},
}


class RanpacOptions(PresetOptions):
    """A preset, and what is set besides it."""

    presets = PRESETS

    preset: Literal["safe", "official", "pilot"] = "safe"
    """Defaults of the other options. `official`: the authors' code (RanPAC.py). `pilot`: the
    version of LAMDA-PILOT, another classifier. `safe`: the official head with a ridge that is
    chosen on all experiences and features that fit a laptop."""
    random_features: Annotated[int, Field(ge=0, le=100_000)] = 1000
    """M, the random ReLU features; 0 takes the backbone's own features. `official` and `pilot`:
    10000, whose sums take 800 MB."""
    ridge: Literal["accumulated", "per_experience"] | Annotated[float, Field(gt=0.0)] = (
        "accumulated"
    )
    """The penalty lambda, or how it is chosen among 1e-8, 1e-7, ..., 1e8. `accumulated`: by the
    error on held-out samples of all experiences so far. `per_experience`: by the error on held-out
    samples of the newest one alone, as released; it can choose far too small a value. A number is
    used as it is, and nothing is held out."""
    head: Literal["linear", "cosine"] = "linear"
    """`linear`: logits h.w, as the authors'. `cosine`: both normalised, as LAMDA-PILOT's."""
    held_out: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.2
    """Share of each experience's samples, drawn from the seed, on which penalties are compared.
    The final weights use all samples. Released: the last 20 % of a shuffled loader."""
