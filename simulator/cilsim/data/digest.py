"""What identifies a data set: a hash over every sample and class id."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK_BYTES = 4 << 20


def dataset_digest(
    x_train: NDArray[Any], y_train: NDArray[Any], x_test: NDArray[Any], y_test: NDArray[Any]
) -> str:
    """Return the SHA-256 over all samples and class ids, as hexadecimal text.

    Shapes and types are hashed too. Arrays are read in chunks, so memory-mapped ones stay on disk,
    and the digest is that of little-endian bytes on every machine.
    """
    digest = sha256()
    parts = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    for name, array in parts.items():
        little_endian = array.dtype.newbyteorder("<")
        digest.update(f"{name} {little_endian.str} {array.shape}\n".encode())
        rows = max(1, _CHUNK_BYTES // max(1, array[:1].nbytes))
        for first in range(0, len(array), rows):
            chunk = array[first : first + rows].astype(little_endian, copy=False)
            digest.update(np.ascontiguousarray(chunk).data)
    return digest.hexdigest()
