"""`arrays`: images or ready features from an .npz file or straight from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cilsim.data.array_domains import DOMAINS, read_domains
from cilsim.data.array_layout import (
    as_class_ids,
    as_samples,
    common_class_ids,
    find_layout,
    sample_shape,
)
from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.digest import dataset_digest
from cilsim.data.moments import channel_moments
from cilsim.data.npz import Header, Npz, opened_npz
from cilsim.errors import DataError
from cilsim.options import Options

_SAMPLES = ("x_train", "x_test")
_CLASS_IDS = ("y_train", "y_test")


class ArraysOptions(Options):
    """Options of a data set in an .npz file."""

    path: Path
    """File with x_train, y_train, x_test, y_test and, if wanted, class_names (one text per class,
    in ascending order of the class ids), domain_train and domain_test (one integer from 0 per
    sample, such as the session in which it was recorded), domain_names (one text per domain, in
    ascending order of these integers, which otherwise are the names)."""


def facts_arrays(options: ArraysOptions) -> DataFacts:
    """Return the facts of an .npz file; of the samples only type and shape are read."""
    where = f"arrays '{options.path}'"
    with opened_npz(where, options.path) as archive:
        headers = {name: archive.header(name) for name in _SAMPLES}
        return _facts(where, headers, _small_arrays(archive))


def load_arrays(options: ArraysOptions) -> DataSet:
    """Return the data set in an .npz file; Python objects in it are refused."""
    where = f"arrays '{options.path}'"
    with opened_npz(where, options.path) as archive:
        samples = {name: archive.array(name) for name in _SAMPLES}
        return _dataset("arrays", where, samples, _small_arrays(archive), None, None)


def arrays_dataset(
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike,
    y_test: ArrayLike,
    *,
    name: str = "arrays",
    class_names: Sequence[str] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    domain_train: ArrayLike | None = None,
    domain_test: ArrayLike | None = None,
    domain_names: Sequence[str] | None = None,
) -> DataSet:
    """Return a data set of arrays.

    Args:
        x_train: uint8 images (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3, or float
            features (N, D), which are kept as float32.
        y_train: (N,) integer class ids from 0.
        x_test: like `x_train`, of the same shape per sample.
        y_test: like `y_train`, with the same classes.
        name: appears in reports and error messages.
        class_names: one per class, in ascending order of the class ids.
        mean: per channel in [0, 1]; by default that of the training images.
        std: likewise.
        domain_train: (N,) integers from 0, the domain of each training sample.
        domain_test: likewise of each test sample; given if and only if `domain_train` is.
        domain_names: one per domain, in ascending order of the integers; by default these.

    Raises:
        DataError: an array is not as described.
    """
    samples = {"x_train": np.asarray(x_train), "x_test": np.asarray(x_test)}
    small = {"y_train": np.asarray(y_train), "y_test": np.asarray(y_test)}
    if class_names is not None:
        small["class_names"] = np.array(list(class_names), dtype=np.str_)
    domains = (domain_train, domain_test, domain_names)
    given = zip(DOMAINS, domains, strict=True)
    small |= {key: np.asarray(value) for key, value in given if value is not None}
    return _dataset(name, f"data set '{name}'", samples, small, mean, std)


def _dataset(
    name: str,
    where: str,
    samples: dict[str, NDArray[Any]],
    small: dict[str, NDArray[Any]],
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
) -> DataSet:
    facts = _facts(where, {key: (x.shape, x.dtype) for key, x in samples.items()}, small)
    x_train, x_test = (
        as_samples(where, key, x, find_layout(where, key, x.shape, x.dtype))
        for key, x in samples.items()
    )
    own_mean, own_std = ((), ()) if facts.features else channel_moments(x_train.view(np.uint8))
    return DataSet(
        name=name,
        facts=facts,
        x_train=x_train,
        x_test=x_test,
        mean=own_mean if mean is None else tuple(mean),
        std=own_std if std is None else tuple(std),
        digest=dataset_digest(x_train, facts.y_train, x_test, facts.y_test),
    )


def _facts(
    where: str,
    headers: dict[str, Header],
    small: dict[str, NDArray[Any]],
) -> DataFacts:
    shapes = {}
    for name, (shape, dtype) in headers.items():
        shapes[name] = sample_shape(find_layout(where, name, shape, dtype), shape)
    if shapes["x_train"] != shapes["x_test"]:
        raise DataError(
            f"{where}: a sample of x_train has shape {shapes['x_train']}, one of x_test "
            f"{shapes['x_test']} - expected the same"
        )
    y_train, y_test = (
        as_class_ids(where, labels, small[labels], headers[samples][0][0])
        for labels, samples in zip(_CLASS_IDS, _SAMPLES, strict=True)
    )
    class_ids = common_class_ids(where, y_train, y_test)
    names = _class_names(where, small.get("class_names"), class_ids)
    domains = read_domains(where, small, (len(y_train), len(y_test)))
    return DataFacts(class_ids, names, y_train, y_test, shapes["x_train"], *domains)


def _class_names(
    where: str, names: NDArray[Any] | None, class_ids: tuple[int, ...]
) -> tuple[str, ...]:
    if names is None:
        return tuple(str(class_id) for class_id in class_ids)
    if names.dtype.kind != "U" or names.shape != (len(class_ids),):
        raise DataError(
            f"{where}: class_names has shape {names.shape} and type {names.dtype} - expected "
            f"{len(class_ids)} texts, one per class"
        )
    return tuple(names.tolist())


def _small_arrays(archive: Npz) -> dict[str, NDArray[Any]]:
    optional = [name for name in ("class_names", *DOMAINS) if name in archive.names]
    return {name: archive.array(name) for name in (*_CLASS_IDS, *optional)}
