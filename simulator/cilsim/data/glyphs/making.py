"""Makes a glyph data set class by class, or reads it from the cache."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor

from cilsim.data.array_cache import cache_key, cached_arrays
from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.digest import dataset_digest
from cilsim.data.glyphs.choices import UNIFORMS, choices_generator, generator
from cilsim.data.glyphs.code_points import CLASSES, CLUTTER
from cilsim.data.glyphs.drawing import SIDE, draw_images
from cilsim.data.glyphs.faces import draw_masters
from cilsim.data.places import cache_root

GENERATOR_VERSION = 2
"""Raise it with any change that moves a byte."""
CHUNK = 256
"""Images drawn at once: their intermediate tensors stay in the processor's cache."""
MEAN, STD = (0.498, 0.500, 0.499), (0.234, 0.227, 0.238)
"""Of the training images of glyphs100; the same for all, so that no option moves them."""

_log = logging.getLogger(__name__)


def load_images(
    name: str, facts: DataFacts, train_per_class: int, test_per_class: int, seed: int
) -> DataSet:
    """Return a glyph data set from the cache, drawing it first if need be."""
    code_points = CLASSES[: len(facts.class_ids)]
    counts = {"train": train_per_class, "test": test_per_class}

    def build(folder: Path) -> None:
        images = len(facts.y_train) + len(facts.y_test)
        _log.info("%s: drawing %d images (once; then from the cache)", name, images)
        for split, count in counts.items():
            shape = (len(code_points) * count, 3, SIDE, SIDE)
            out = open_memmap(folder / f"x_{split}.npy", mode="w+", dtype=np.uint8, shape=shape)
            draw_split(out, code_points, split, seed)
            out.flush()

    key = cache_key(GENERATOR_VERSION, code_points, CLUTTER, counts, seed)
    arrays = cached_arrays(cache_root() / "data" / f"{name}-{key}", build, _about)
    x_train, x_test = arrays["x_train"], arrays["x_test"]
    digest = dataset_digest(x_train, facts.y_train, x_test, facts.y_test)
    return DataSet(name, facts, x_train, x_test, MEAN, STD, digest)


def draw_split(
    out_NCHW: NDArray[np.uint8],
    code_points: Sequence[int],
    split: str,
    seed: int,
    chunk: int = CHUNK,
) -> None:
    """Fill `out_NCHW` with an equal number of images of every code point, class after class."""
    masters_KFHW = torch.from_numpy(draw_masters(code_points))
    clutter_MHW = torch.from_numpy(draw_masters(CLUTTER)).flatten(0, 1)
    count = len(out_NCHW) // len(code_points)
    for row, code_point in enumerate(code_points):
        mine_NCHW = out_NCHW[row * count : (row + 1) * count]
        # two generators, each read image after image: see choices.generator
        choices = choices_generator(seed, split, code_point)
        noise = generator(seed, "glyphs", split, code_point, "noise")
        _draw_class(mine_NCHW, masters_KFHW[row], clutter_MHW, (choices, noise), chunk)


def _draw_class(
    out_NCHW: NDArray[np.uint8],
    masters_MHW: Tensor,
    clutter_MHW: Tensor,
    generators: tuple[np.random.Generator, np.random.Generator],
    chunk: int,
) -> None:
    choices, noise = generators
    for first in range(0, len(out_NCHW), chunk):
        count = len(out_NCHW[first : first + chunk])
        uniform_BP = choices.random((count, UNIFORMS), dtype=np.float32)
        normal_BCHW = noise.standard_normal((count, 3, SIDE, SIDE), dtype=np.float32)
        images_BCHW = draw_images(
            masters_MHW, clutter_MHW, torch.from_numpy(uniform_BP), torch.from_numpy(normal_BCHW)
        )
        out_NCHW[first : first + count] = images_BCHW.numpy()


def _about() -> dict[str, Any]:
    from PIL import features

    names = ("torch", "numpy", "pillow", "matplotlib")
    versions = {name: version(name) for name in names} | {"freetype": features.version("freetype2")}
    return {"generator": GENERATOR_VERSION, "versions": versions}
