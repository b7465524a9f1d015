"""Reads the pickles of old data archives without unpickling them.

A pickle is a program for a machine that can call whatever it names. Here that machine is built anew
with the few instructions by which lists, dictionaries, texts, numbers and arrays of bytes are
written. It can call nothing: the three names by which NumPy writes an array are recognised, and
NumPy never sees them. Every size is compared with what is left of the file, so that no memory is
taken for what is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cilsim.data.pickle_instructions import run
from cilsim.data.pickle_machine import PickleMachine, PickleRefused
from cilsim.scenario.origin import abbreviate

__all__ = ["PickleRefused", "as_text", "read_plain_pickle"]

ARRAY = ("numpy.ndarray",)
MAKE_ARRAY = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
MAKE_TYPE = ("numpy.dtype",)
ENCODE = ("_codecs.encode",)
"""By which protocol 2 of Python 3 writes bytes."""
MOST_KEYS = 1000


@dataclass(frozen=True)
class _Name:
    """Something that a pickle refers to."""

    name: str


@dataclass
class _Type:
    """A pickled NumPy type."""

    code: Any


@dataclass
class _Array:
    """A pickled NumPy array, as soon as its state has come."""

    pixels: NDArray[np.uint8] | None = None


def read_plain_pickle(content: bytes) -> dict[str, Any]:
    """Return the dictionary in a pickle of plain data and arrays of unsigned bytes.

    Args:
        content: the file; texts of Python 2 are taken as bytes, keys returned as text.

    Raises:
        PickleRefused: it is damaged, holds anything else, or is not a dictionary.
    """
    found = run(_Machine(content))
    if not isinstance(found, dict):
        raise PickleRefused(f"it holds a {type(found).__name__.strip('_')}, not a dictionary")
    return {as_text(key): _plain(entry) for key, entry in found.items()}


def as_text(entry: Any) -> str:
    """Return a text of Python 2 or 3 as text."""
    return entry.decode("utf-8", "replace") if isinstance(entry, bytes) else str(entry)


def _plain(entry: Any) -> Any:
    if not isinstance(entry, _Array):
        return entry
    if entry.pixels is None:
        raise PickleRefused("an array has no content")
    return entry.pixels


class _Machine(PickleMachine):
    """What the instructions of a pickle mean that refer, call and fill."""

    def named(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in (*ARRAY, *MAKE_ARRAY, *MAKE_TYPE, *ENCODE):
            return _Name(full)
        raise PickleRefused(f"it refers to '{abbreviate(full, 100)}'")

    def called(self, name: Any, arguments: Any) -> Any:
        if isinstance(name, _Name) and isinstance(arguments, tuple) and arguments:
            if name.name in MAKE_ARRAY:
                return _Array()
            if name.name in MAKE_TYPE:
                return _Type(arguments[0])
            match arguments:
                case (str(text), "latin1") if name.name in ENCODE:
                    return text.encode("latin-1", "replace")
        raise PickleRefused("it is damaged (a call of nothing)")

    def built(self, found: Any, state: Any) -> None:
        match found, state:
            case _Type(), tuple():  # byte order and alignment: a byte has none
                return
            case _Array(pixels=None), (_, tuple(shape), _Type(code), order, bytes(pixels)):
                if code not in (b"u1", "u1") or order:
                    raise PickleRefused("an array is not of unsigned bytes in row order")
                found.pixels = _pixels(shape, pixels)
            case _Array(pixels=None), (_, _, _Type(), _, _):
                raise PickleRefused("an array is not of unsigned bytes in row order")
            case _:
                raise PickleRefused("it is damaged (a state of nothing)")

    def key(self, entry: Any) -> Any:
        """Return a key of a dictionary; only texts can be one."""
        if not isinstance(entry, str | bytes) or len(entry) > MOST_KEYS:
            raise PickleRefused("a key of its dictionary is no text")
        return entry


def _pixels(shape: tuple[Any, ...], content: bytes) -> NDArray[np.uint8]:
    sizes = [size for size in shape if type(size) is int and size >= 0]
    if len(sizes) != len(shape) or len(shape) > 32 or prod(sizes) != len(content):
        raise PickleRefused("an array has another shape than its content")
    return np.frombuffer(content, dtype=np.uint8).reshape(sizes)
