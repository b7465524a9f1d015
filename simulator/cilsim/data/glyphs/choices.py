"""The random choices behind each glyph image, and the face that is the first of them. No torch.

Axis letters: N images, P uniform numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from cilsim.data.glyphs.faces import FACES
from cilsim.records import IntArray
from cilsim.seeding import derive_seed

UNIFORMS = 109
"""Columns of random choices per image; the first one chooses the face."""

DOMAIN_NAMES = tuple(
    f"{family}-{style}"
    for family, slanted in (("sans", "oblique"), ("mono", "oblique"), ("serif", "italic"))
    for style in ("regular", "bold", slanted, f"bold-{slanted}")
)
"""What a scenario calls the faces, in the order of `FACES`."""


def generator(*position: int | str) -> np.random.Generator:
    """Return the generator of one purpose, read image after image.

    The first n images are therefore the same for any number of them.
    """
    return np.random.Generator(np.random.Philox(derive_seed(*position)))


def choices_generator(seed: int, split: str, code_point: int) -> np.random.Generator:
    """Return the generator of (N, P) float32 numbers in [0, 1), the choices of a class."""
    return generator(seed, "glyphs", split, code_point, "choices")


@cache
def faces_of(code_points: Sequence[int], split: str, count: int, seed: int) -> IntArray:
    """Return (N,) the position in `FACES` of the face of each image, class after class.

    Args:
        code_points: one per class, hashable.
        split: `train` or `test`.
        count: images per class.
        seed: the data's own seed.
    """
    first = [
        choices_generator(seed, split, code_point).random((count, UNIFORMS), np.float32)[:, 0]
        for code_point in code_points
    ]
    faces = (np.concatenate(first) * np.float32(len(FACES))).astype(np.int64)
    faces.clip(max=len(FACES) - 1, out=faces)
    faces.flags.writeable = False  # one array for all who ask
    return faces
