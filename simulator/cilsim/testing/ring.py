"""The ring: Gaussian classes on a circle in the plane, a stream whose answer is known.

Trained with momentum on one pair of classes after another, a small network forgets the earlier
pairs completely, while nearest class means on the plane itself stay right. A method that should
forget and does not, or the other way round, is implemented wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cilsim.seeding import derive_seed

RADIUS = 3.0
SPREAD = 0.25
Arrays = dict[str, NDArray[np.float32] | NDArray[np.uint8] | NDArray[np.int64]]


def ring(
    classes: int = 10, *, train_per_class: int = 60, test_per_class: int = 30, seed: int = 0
) -> Arrays:
    """Return `x_train`, `y_train`, `x_test`, `y_test` as an `arrays` data set has them.

    Class c lies at angle 2 pi c / classes on a circle of radius 3, with standard deviation 0.25.
    """
    angles = 2 * np.pi * np.arange(classes) / classes
    centres = RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (classes, 2)
    arrays: Arrays = {}
    for part, count in (("train", train_per_class), ("test", test_per_class)):
        generator = np.random.default_rng(derive_seed(seed, "ring", part))
        y = np.repeat(np.arange(classes), count)
        noise = generator.normal(0.0, SPREAD, size=(len(y), 2))
        arrays[f"x_{part}"] = (centres[y] + noise).astype(np.float32)
        arrays[f"y_{part}"] = y.astype(np.int64)
    return arrays


def ring_domains(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return `domain_train`, `domain_test` and `domain_names` for the arrays of a ring.

    The domain of a sample says how far from the middle it lies: each class is cut into its inner,
    middle and outer third.
    """
    domains: dict[str, NDArray[Any]] = {"domain_names": np.array(["inner", "middle", "outer"])}
    for part in ("train", "test"):
        distance, y = np.linalg.norm(arrays[f"x_{part}"], axis=1), arrays[f"y_{part}"]
        domains[f"domain_{part}"] = np.empty(len(y), dtype=np.int64)
        for class_id in np.unique(y):
            mine = np.flatnonzero(y == class_id)
            rank = distance[mine].argsort(kind="stable").argsort(kind="stable")
            domains[f"domain_{part}"][mine] = 3 * rank // len(mine)
    return domains


def write_ring(path: Path, classes: int = 10, *, domains: bool = False, **sizes: int) -> Path:
    """Write the ring as an `.npz` file for the data set `arrays` and return its path."""
    arrays: dict[str, Any] = {**ring(classes, **sizes)}
    if domains:
        arrays |= ring_domains(arrays)
    np.savez(path, **arrays)
    return path
