"""Samples of an Avalanche data set as one array.

Axis letters: N samples, C channels, H W pixels, D features.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from avalanche.benchmarks.utils.transform_groups import EmptyTransformGroups
from numpy.typing import NDArray
from PIL import Image

from cilsim.errors import DataError

Transforms = Literal["drop", "eval"]
NEAR = 1e-3
"""How far from a whole number of 255ths a pixel may be."""


def sample_array(where: str, dataset: Any, transforms: Transforms) -> NDArray[Any]:
    """Return uint8 images (N, C, H, W) or float32 features (N, D).

    Args:
        where: what messages begin with.
        dataset: an Avalanche data set.
        transforms: `drop` reads samples without the transforms that Avalanche would apply, frozen
            ones excepted, which make the data what they are (as in PermutedMNIST); `eval` applies
            those of evaluation.

    Raises:
        DataError: a sample is no 8-bit image and no vector, or shapes differ.
    """
    plain = _as_stored(dataset) if transforms == "drop" else dataset.eval()
    samples = [_one(where, plain[place][0]) for place in range(len(plain))]
    shapes = sorted({sample.shape for sample in samples})
    if len(shapes) > 1:
        raise DataError(
            f"{where}: samples of shapes {shapes[0]} and {shapes[-1]} - expected one shape; "
            "transforms 'eval' resizes, if the benchmark does"
        )
    return np.stack(samples)


def _as_stored(dataset: Any) -> Any:
    """Return the data set without transforms, at whatever depth they are, except frozen ones.

    Avalanche's own `remove_current_transform_group` leaves those of evaluation in inner data sets.
    """
    bare = dataset.eval()
    bare._flat_data = _flat_as_stored(bare._flat_data)
    return bare


def _flat_as_stored(flat: Any) -> Any:
    if not hasattr(flat, "_frozen_transform_groups"):
        return flat
    bare = flat._shallow_clone_dataset()
    bare._transform_groups = EmptyTransformGroups()
    bare._transform_groups.with_transform("eval")
    bare._datasets = [_flat_as_stored(inner) for inner in flat._datasets]
    return bare


def _one(where: str, x: Any) -> NDArray[Any]:
    if isinstance(x, Image.Image):
        pixels = np.asarray(x if x.mode in ("L", "RGB") else x.convert("RGB"))
        return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    values = x.numpy() if isinstance(x, torch.Tensor) else np.asarray(x)
    if values.ndim == 1 and values.dtype.kind == "f":
        return values.astype(np.float32)
    image = values[None] if values.ndim == 2 else values
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise DataError(
            f"{where}: a sample of shape {values.shape} and type {values.dtype} - expected images "
            "(C, H, W) with 1 or 3 channels, or float vectors"
        )
    return image if image.dtype == np.uint8 else _quantised(where, image)


def _quantised(where: str, image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the 8-bit image that was divided by 255."""
    scaled = image.astype(np.float64) * 255.0
    whole = np.rint(scaled)
    if whole.min() < 0 or whole.max() > 255 or np.abs(scaled - whole).max() > NEAR:
        raise DataError(
            f"{where}: images with values from {image.min():g} to {image.max():g} that are no "
            "255ths - expected 8-bit images, without normalisation"
        )
    return whole.astype(np.uint8)
