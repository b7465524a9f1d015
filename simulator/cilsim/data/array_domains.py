"""The domains of samples in arrays: optional, of both parts or of none.

Axis letter: N samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cilsim.errors import DataError
from cilsim.records import IntArray

DOMAINS = ("domain_train", "domain_test", "domain_names")
"""Names of the arrays."""

Domains = tuple[IntArray | None, IntArray | None, tuple[str, ...]]


def read_domains(
    where: str, arrays: Mapping[str, NDArray[Any]], counts: tuple[int, int]
) -> Domains:
    """Return the positions in the names of each part's domains, and the names.

    Args:
        where: begins every error message.
        arrays: those of `DOMAINS` that are there; others are ignored.
        counts: number of training and of test samples.

    Raises:
        DataError: an array is missing beside the others or is not as described.
    """
    present = [name for name in DOMAINS if name in arrays]
    if not present:
        return None, None, ()
    for name in DOMAINS[:2]:
        if name not in arrays:
            raise DataError(
                f"{where}: there is no array '{name}' - expected beside {' and '.join(present)}"
            )
    parts = [
        _numbers(where, name, arrays[name], count)
        for name, count in zip(DOMAINS[:2], counts, strict=True)
    ]
    known = np.unique(np.concatenate(parts))
    names = _names(where, arrays.get(DOMAINS[2]), known)
    train, test = (np.searchsorted(known, part).astype(np.int64) for part in parts)
    return train, test, names


def _numbers(where: str, name: str, domains: NDArray[Any], count: int) -> IntArray:
    if domains.dtype.kind not in "iu" or domains.shape != (count,):
        raise DataError(
            f"{where}: {name} has shape {domains.shape} and type {domains.dtype} - "
            f"expected one integer per sample, shape ({count},)"
        )
    if domains.min() < 0:
        raise DataError(
            f"{where}: {name} has the domain {domains.min()} in row {int(domains.argmin())} - "
            "expected integers from 0"
        )
    return domains.astype(np.int64)


def _names(where: str, names: NDArray[Any] | None, known: IntArray) -> tuple[str, ...]:
    if names is None:
        return tuple(str(number) for number in known.tolist())
    fits = names.dtype.kind == "U" and names.shape == known.shape
    if not fits or len(set(names.tolist())) < len(known):
        raise DataError(
            f"{where}: domain_names has shape {names.shape} and type {names.dtype} - expected "
            f"{len(known)} different texts, one per domain of domain_train and domain_test"
        )
    return tuple(names.tolist())
