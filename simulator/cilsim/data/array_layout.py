"""What arrays may look like, and how they become samples.

Axis letters: N samples, C channels, H W pixels, D features.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cilsim.errors import DataError
from cilsim.records import IntArray

Layout = Literal["ND", "NHW", "NHWC", "NCHW"]
Samples = NDArray[np.uint8] | NDArray[np.float32]

_CHUNK_ROWS = 4096
_EXPECTED = (
    "uint8 images (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3, or float features (N, D)"
)


def find_layout(where: str, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Layout:
    """Return how the axes of an array of samples are meant.

    Raises:
        DataError: they cannot be told, or the array is empty or of another type.
    """
    kind = np.dtype(dtype)
    found = f"{where}: {name} has shape {shape} and type {kind}"
    if 0 in shape:
        raise DataError(f"{found} - it is empty - expected {_EXPECTED}")
    if kind in (np.float16, np.float32, np.float64) and len(shape) == 2:
        return "ND"
    if kind == np.uint8 and len(shape) == 3:
        return "NHW"
    if kind == np.uint8 and len(shape) == 4:
        first, last = shape[1] in (1, 3), shape[3] in (1, 3)
        if first and last:
            raise DataError(
                f"{found} - the channels may be axis 1 or axis 3 - expected {_EXPECTED}"
            )
        if first or last:
            return "NCHW" if first else "NHWC"
    raise DataError(f"{found} - expected {_EXPECTED}")


def sample_shape(layout: Layout, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of one sample after `as_samples`: (3, H, W) or (D,)."""
    if layout == "ND":
        return shape[1:]
    return (3, *shape[2:]) if layout == "NCHW" else (3, *shape[1:3])


def as_samples(where: str, name: str, array: NDArray[Any], layout: Layout) -> Samples:
    """Return uint8 (N, 3, H, W) images, one channel repeated to three, or float32 features.

    An array that already has this form is not copied.

    Raises:
        DataError: a feature is not finite.
    """
    if layout == "ND":
        return _as_features(where, name, array)
    if layout == "NHW":
        array = array[:, None]
    elif layout == "NHWC":
        array = array.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(np.broadcast_to(array, (len(array), 3, *array.shape[2:])))


def as_class_ids(where: str, name: str, labels: NDArray[Any], count: int) -> IntArray:
    """Return the class id of each of `count` samples as (N,) int64.

    Raises:
        DataError: type, shape, length or a negative id.
    """
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DataError(
            f"{where}: {name} has shape {labels.shape} and type {labels.dtype} - "
            "expected one integer class id per sample, shape (N,)"
        )
    if len(labels) != count:
        raise DataError(
            f"{where}: {name} has {len(labels)} class ids - expected {count}, one per sample"
        )
    if labels.min() < 0:
        raise DataError(
            f"{where}: {name} has the class id {labels.min()} in row {int(labels.argmin())} - "
            "expected ids from 0; leave samples without a class out"
        )
    return labels.astype(np.int64)


def common_class_ids(where: str, y_train: IntArray, y_test: IntArray) -> tuple[int, ...]:
    """Return the class ids, ascending.

    Raises:
        DataError: some are only in one of the two parts.
    """
    train, test = np.unique(y_train), np.unique(y_test)
    only_train, only_test = np.setdiff1d(train, test), np.setdiff1d(test, train)
    if len(only_train) or len(only_test):
        raise DataError(
            f"{where}: class ids only in y_train: {_listed(only_train)}; "
            f"only in y_test: {_listed(only_test)} - expected the same classes in both"
        )
    return tuple(train.tolist())


def _listed(ids: IntArray) -> str:
    shown = ", ".join(str(class_id) for class_id in ids[:10].tolist())
    more = f" and {len(ids) - 10} more" if len(ids) > 10 else ""
    return f"{shown or 'none'}{more}"


def _as_features(where: str, name: str, array: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what overflows becomes infinite and is refused below
        features_ND = np.ascontiguousarray(array, dtype=np.float32)
    for first in range(0, len(features_ND), _CHUNK_ROWS):
        finite_N = np.isfinite(features_ND[first : first + _CHUNK_ROWS]).all(axis=1)
        if not finite_N.all():
            raise DataError(
                f"{where}: {name} has a value that is not finite, first in row "
                f"{first + int(finite_N.argmin())} - expected finite float32 features"
            )
    return features_ND
