"""Options of the data set `avalanche`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from cilsim import Options


class BenchmarkOptions(Options):
    """Which benchmark, and how its samples are read."""

    benchmark: str
    """A function of `avalanche.benchmarks` such as SplitMNIST, or `package.module:callable` that
    returns a benchmark."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of that function, such as {n_experiences: 5, seed: 0}."""
    root: Path | None = None
    """Folder of the files, given to functions that have an argument `dataset_root`. None: the
    folder `avalanche` within that of downloaded data sets."""
    download: bool = False
    """Whether Avalanche may download what is not in `root`."""
    tasks: Literal["shared", "separate"] | None = None
    """What equal labels of two tasks are, where experiences have several task labels: one class
    (`shared`) or two (`separate`)."""
    transforms: Literal["drop", "eval"] = "drop"
    """`drop`: samples as they are stored, for our own normalisation and augmentation; frozen
    transforms, such as permutations of pixels, stay. `eval`: with the transforms of evaluation.
    Images are rounded to 8 bits."""
