"""Patterns: small square images with a known answer, for strategies that need images.

Each class is one random grid of bright and dark cells; a sample is the grid with noise. A small
network tells them apart after a few epochs, and no grid looks like itself when turned.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cilsim.seeding import derive_seed
from cilsim.testing.ring import Arrays

SIDE = 8
CELL = 2
NOISE = 20.0


def patterns(
    classes: int = 10, *, train_per_class: int = 16, test_per_class: int = 8, seed: int = 0
) -> Arrays:
    """Return `x_train`, `y_train`, `x_test`, `y_test` as an `arrays` data set has them.

    Images are uint8 (N, 8, 8), cells are 2 by 2 pixels.
    """
    grids = np.random.default_rng(derive_seed(seed, "patterns", "grids"))
    cells = SIDE // CELL
    bright = grids.integers(0, 2, size=(classes, cells, cells)) * 160 + 48
    images = np.kron(bright, np.ones((1, CELL, CELL)))
    arrays: Arrays = {}
    for part, count in (("train", train_per_class), ("test", test_per_class)):
        generator = np.random.default_rng(derive_seed(seed, "patterns", part))
        y = np.repeat(np.arange(classes), count)
        noise = generator.normal(0.0, NOISE, size=(len(y), SIDE, SIDE))
        arrays[f"x_{part}"] = (images[y] + noise).clip(0, 255).astype(np.uint8)
        arrays[f"y_{part}"] = y.astype(np.int64)
    return arrays


def write_patterns(path: Path, classes: int = 10, **sizes: int) -> Path:
    """Write the patterns as an `.npz` file for the data set `arrays` and return its path."""
    np.savez(path, **patterns(classes, **sizes))  # type: ignore[arg-type]
    return path
