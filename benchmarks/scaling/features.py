"""Synthetic features, made a slice at a time and memory-mapped beyond a bound.

Axis letters: N samples, D features, K classes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAPPED_BYTES = 1 << 26
"""Larger arrays lie in a file, 64 MiB."""
SLICE = 65_536
"""Samples made at a time."""


def made_arrays(
    folder: Path, classes: int, train_per_class: int, test_per_class: int, size: int
) -> dict[str, NDArray[np.generic]]:
    """Return `x_train`, `y_train`, `x_test`, `y_test` of overlapping classes, never negative.

    Args:
        folder: where arrays beyond the bound are put.
        classes: K.
        train_per_class: training samples of a class.
        test_per_class: test samples of a class.
        size: D.
    """
    draws = np.random.default_rng(0)
    centres_KD = draws.normal(size=(classes, size)).astype(np.float32)
    arrays: dict[str, NDArray[np.generic]] = {}
    for part, each in (("train", train_per_class), ("test", test_per_class)):
        labels_N = np.repeat(np.arange(classes), each)
        arrays[f"x_{part}"] = _samples(folder / part, centres_KD, labels_N, draws)
        arrays[f"y_{part}"] = labels_N
    return arrays


def _samples(
    path: Path,
    centres_KD: NDArray[np.float32],
    labels_N: NDArray[np.int64],
    draws: np.random.Generator,
) -> NDArray[np.float32]:
    shape = (len(labels_N), centres_KD.shape[1])
    mapped = 4 * shape[0] * shape[1] > MAPPED_BYTES
    features_ND: NDArray[np.float32]
    if mapped:
        features_ND = np.memmap(path, np.float32, mode="w+", shape=shape)
    else:
        features_ND = np.empty(shape, np.float32)
    for start in range(0, len(labels_N), SLICE):
        rows = labels_N[start : start + SLICE]
        noise = draws.standard_normal((len(rows), shape[1]), dtype=np.float32)
        features_ND[start : start + SLICE] = np.abs(centres_KD[rows] + noise)
    if not mapped:
        return features_ND
    del features_ND  # written out, and read as a file that nobody changes
    return np.memmap(path, np.float32, mode="r", shape=shape)
