"""Options of FeCAM and the presets that set several of them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from cilsim.options import PresetOptions

Weight = Annotated[float, Field(ge=0.0, le=1e6)]

_OFFICIAL: Mapping[str, Any] = {
    "unit_features": False,
    "tukey_power": 0.5,
    "compare_unit_vectors": True,
    "add_to_diagonal": 0.0,
    "shrink_diagonal": 1.0,
    "shrink_off_diagonal": 1.0,
    "shrink_times": 2,
    "correlation": "of_features",
    "first_experience": "head",
}
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "safe": {**_OFFICIAL, "shrink_off_diagonal": 0.0, "first_experience": "mahalanobis"},
    "official": _OFFICIAL,
    "vit": {
        **_OFFICIAL,
        "unit_features": True,
        "tukey_power": 1.0,
        "compare_unit_vectors": False,
        "shrink_off_diagonal": 0.0,
        "shrink_times": 1,
        "first_experience": "mahalanobis",
    },
    "pilot": {
        **_OFFICIAL,
        "tukey_power": 1.0,
        "add_to_diagonal": 100.0,
        "shrink_times": 0,
        "correlation": "of_rows",
        "first_experience": "mahalanobis",
    },
}


class FecamOptions(PresetOptions):
    """A preset, and what is set besides it."""

    presets = PRESETS

    preset: Literal["safe", "official", "vit", "pilot"] = "safe"
    """Defaults of the options below the next. `official`: the authors' many-shot code
    (models/fecam.py), for features that are never negative. `safe`: the same from experience 0 on
    and without off-diagonal shrinkage, which makes matrices indefinite where features are dead.
    `vit`: the authors' scripts for ViT features (CIFAR-100, CORe50; for ImageNet-R they set both
    shrinkages to 10). `pilot`: the version of LAMDA-PILOT, which takes correlations between rows
    of the covariance matrix."""
    covariance: Literal["class", "common", "diagonal", "identity"] = "class"
    """`class`: one per class. `common`: one for all, of all samples of an experience about their
    common mean, mixed by the numbers of classes, shrunk once from experience 1 on, no correlation.
    `diagonal`: variances per class, divided by their norm. `identity`: none."""
    unit_features: bool = False
    """L2-normalise features before everything, means included (`vit`)."""
    tukey_power: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    """Tukey's transform v^power of features and means, after averaging; 1 leaves them. Released
    beta, 0.5. Needs features that are never negative."""
    compare_unit_vectors: bool = True
    """L2-normalise transformed features and means before their difference (`official`, `pilot`)."""
    add_to_diagonal: Weight = 0.0
    """Added to each variance first (`pilot`: 100)."""
    shrink_diagonal: Weight = 1.0
    """a1: each shrinkage adds a1 times the mean variance to the diagonal. Released alpha1."""
    shrink_off_diagonal: Weight = 0.0
    """a2: each shrinkage adds a2 times the mean non-zero covariance off it. Released alpha2
    (`official`: 1); hurts with few shots and with features that are zero for a class."""
    shrink_times: Annotated[int, Field(ge=0, le=2)] = 2
    """How often the covariance of a class is shrunk; the released code does it twice."""
    correlation: Literal["none", "of_features", "of_rows"] = "of_features"
    """`of_features`: S / (sd sd'). `of_rows`: Pearson's correlations between the rows of S
    (`pilot`). For covariance `class` alone."""
    first_experience: Literal["head", "mahalanobis"] = "mahalanobis"
    """Which classifier serves until experience 1; the released code takes the trained head
    (`official`)."""
