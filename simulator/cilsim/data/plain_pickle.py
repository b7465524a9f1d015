"""Reads the pickles of old data archives without running anything that they name.

A pickle can call whatever it refers to. Here only three names are known, those by which NumPy
arrays are written, and even they stand for small objects of this module: NumPy itself is never
called with what the file says. Everything else is refused.
"""

from __future__ import annotations

import pickle
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray


class _Array:
    """Receives the state of a pickled array; only unsigned bytes are taken."""

    __slots__ = ("array",)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, column_major, content = state
        if not isinstance(dtype, _Type) or dtype.code not in (b"u1", "u1") or column_major:
            raise pickle.UnpicklingError("an array is not of unsigned bytes in row order")
        self.array: NDArray[np.uint8] = np.frombuffer(content, dtype=np.uint8).reshape(shape)


class _Type:
    """Receives a pickled NumPy type."""

    __slots__ = ("code",)

    def __init__(self, code: Any) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        """Ignore byte order and alignment: a byte has none."""


class _MakeArray:
    """Stands for NumPy's array maker. An instance without attributes: a pickle cannot alter it."""

    __slots__ = ()

    def __call__(self, *_: Any) -> _Array:
        return _Array()


class _MakeType:
    """Stands for NumPy's type maker."""

    __slots__ = ()

    def __call__(self, code: Any, *_: Any) -> _Type:
        return _Type(code)


_KNOWN = {
    ("numpy.core.multiarray", "_reconstruct"): _MakeArray(),
    ("numpy._core.multiarray", "_reconstruct"): _MakeArray(),
    ("numpy", "dtype"): _MakeType(),
    ("numpy", "ndarray"): "ndarray",
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        known = _KNOWN.get((module_name, global_name))
        if known is None:
            raise pickle.UnpicklingError(f"it refers to '{module_name}.{global_name}'")
        return known


def read_plain_pickle(content: bytes) -> dict[str, Any]:
    """Return the dictionary in a pickle of plain data and arrays of unsigned bytes.

    Args:
        content: the file; texts of Python 2 are taken as bytes, keys returned as text.

    Raises:
        pickle.UnpicklingError: it is damaged, holds anything else, or is not a dictionary.
    """
    try:
        found = _PlainUnpickler(BytesIO(content), encoding="bytes").load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a damaged pickle can fail in any operation that it asks for
        raise pickle.UnpicklingError(f"it is damaged ({type(error).__name__})") from error
    if not isinstance(found, dict):
        raise pickle.UnpicklingError(f"it holds a {type(found).__name__}, not a dictionary")
    return {as_text(key): _plain(entry) for key, entry in found.items()}


def as_text(entry: Any) -> str:
    """Return a text of Python 2 or 3 as text."""
    return entry.decode("utf-8", "replace") if isinstance(entry, bytes) else str(entry)


def _plain(entry: Any) -> Any:
    return entry.array if isinstance(entry, _Array) else entry
