"""Options of the nearest class mean and the presets that set several of them."""

from collections.abc import Mapping
from typing import Any, Literal

from cilsim.options import PresetOptions

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "simplecil": {"metric": "cosine", "update": "sums"},
    "janson": {"metric": "euclidean_normalised", "update": "sums"},
    "task_free": {"metric": "euclidean_normalised", "update": "running"},
    "ranpac_ncm": {"metric": "cosine", "update": "sums"},
}


class NmcOptions(PresetOptions):
    """A preset, and what is set besides it."""

    presets = PRESETS

    preset: Literal["simplecil", "janson", "task_free", "ranpac_ncm"] = "simplecil"
    """Defaults of the other options. `simplecil`: cosine to means of raw features (SimpleCIL, Zhou
    et al. 2023; ProtoNet rows of few-shot tables). `janson`: Euclidean distance to means of
    normalised features (Janson et al. 2022). `task_free`: the same from one sample after another,
    as in their domain-incremental and task-free streams. `ranpac_ncm`: the rows "NCM" of McDonnell
    et al. 2023 (RanPAC), cosine to sums of raw features, which decides as `simplecil` does."""
    metric: Literal["cosine", "euclidean", "euclidean_normalised"] = "cosine"
    """`cosine`: raw means, cosine. `euclidean`: raw means, Euclidean distance.
    `euclidean_normalised`: means of L2-normalised features, not normalised again, Euclidean
    distance to the normalised feature."""
    update: Literal["sums", "running"] = "sums"
    """What is kept per class beside the number of its samples. `sums`: their sum. `running`: their
    mean, mean += (z - mean) / (n + 1) for each sample. The means are equal to rounding."""
