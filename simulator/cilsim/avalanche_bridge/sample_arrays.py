"""Samples of an Avalanche data set as one array.

Axis letters: N samples, C channels, H W pixels, D features.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from avalanche.benchmarks.utils.transform_groups import EmptyTransformGroups
from numpy.typing import NDArray
from PIL import Image

from cilsim.errors import DataError

logger = logging.getLogger(__name__)

Transforms = Literal["drop", "eval"]
NEAR = 1e-3
"""How far from a whole number of 255ths a pixel may be."""


def sample_array(where: str, dataset: Any, transforms: Transforms) -> NDArray[Any]:
    """Return uint8 images (N, C, H, W), float32 images of other values, or float32 features (N, D).

    Args:
        where: what messages begin with.
        dataset: an Avalanche data set.
        transforms: `drop` reads samples without the transforms that Avalanche would apply, frozen
            ones excepted, which make the data what they are (as in PermutedMNIST); `eval` applies
            those of evaluation.

    Raises:
        DataError: a sample is no image and no vector, or shapes differ.
    """
    plain = _as_stored(dataset) if transforms == "drop" else dataset.eval()
    samples = [_one(where, plain[place][0]) for place in range(len(plain))]
    shapes = sorted({sample.shape for sample in samples})
    if len(shapes) > 1:
        raise DataError(
            f"{where}: samples of shapes {shapes[0]} and {shapes[-1]} - expected one shape; "
            "transforms 'eval' resizes, if the benchmark does"
        )
    return joined([sample[None] for sample in samples])


def joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the parts as one array: float32 as soon as one of them is, 8-bit pixels as 255ths."""
    if all(part.dtype == np.uint8 for part in parts):
        return np.concatenate(parts)
    return np.concatenate(
        [part / np.float32(255.0) if part.dtype == np.uint8 else part for part in parts]
    )


def in_8_bits(
    where: str, x_train: NDArray[Any], x_test: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return images of any values in 256 levels of the range of training images; say so if new.

    The range of images within 0 and 1 is 0 to 1. Features, and images that have 8 bits already,
    are returned as they are.

    Args:
        where: what messages begin with.
        x_train: (N, C, H, W) or (N, D).
        x_test: likewise.

    Raises:
        DataError: an image holds NaN or infinity.
    """
    if x_train.ndim == 2 or x_train.dtype == x_test.dtype == np.uint8:
        return x_train, x_test
    parts = [
        joined([part, np.empty((0, *part.shape[1:]), np.float32)]) for part in (x_train, x_test)
    ]
    if not all(np.isfinite(part).all() for part in parts):
        raise DataError(f"{where}: images hold NaN or infinity - expected numbers")
    low, high = float(parts[0].min()), float(parts[0].max())
    logger.warning(
        "%s: images with values from %g to %g that are no 255ths are rounded to 256 levels",
        where, low, high,
    )  # fmt: skip
    if low >= 0.0 and high <= 1.0:
        low, high = 0.0, 1.0
    step = (high - low) / 255.0 or 1.0
    levels = [np.rint((part - low) / step).clip(0, 255).astype(np.uint8) for part in parts]
    return levels[0], levels[1]


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
    return image if image.dtype == np.uint8 else _quantised(image)


def _quantised(image: NDArray[Any]) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Return the 8-bit image that was divided by 255, or the same image if it was none."""
    scaled = image.astype(np.float64) * 255.0
    whole = np.rint(scaled)
    close = bool((np.abs(scaled - whole) <= NEAR).all())  # NaN is close to nothing
    if close and whole.min() >= 0 and whole.max() <= 255:
        return whole.astype(np.uint8)
    return image.astype(np.float32)
