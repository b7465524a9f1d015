"""Reads .npz files strictly: the arrays asked for, never a pickled object."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cilsim.data.archive_member import most_expanded
from cilsim.errors import DataError
from cilsim.naming import nearest
from cilsim.scenario.origin import abbreviate

SHOWN = 10
"""Most names that a message lists."""

DAMAGE = (
    *(OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error),
    *(NotImplementedError, RuntimeError),
)
"""What reading a damaged archive or array raises."""

NO_LITERAL = (SyntaxError, TypeError, RecursionError, MemoryError, OverflowError, TokenError)
"""What reading a header raises: it is a Python literal, and not every one can be parsed."""

Header = tuple[tuple[int, ...], np.dtype[Any]]


class Npz:
    """An open .npz file; `where` begins every error message."""

    def __init__(self, where: str, archive: zipfile.ZipFile) -> None:
        self._where = where
        self._archive = archive
        self.names = sorted(
            name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")
        )
        for name, following in pairwise(self.names):
            if name == following:
                raise DataError(f"{where}: {_shown(name)} is there twice - write it again")

    def header(self, name: str) -> Header:
        """Return shape and type of an array, reading nothing else.

        Raises:
            DataError: it is missing, damaged or holds Python objects.
        """
        with self._member(name) as file:
            return self._read_header(name, file)

    def array(self, name: str) -> NDArray[Any]:
        """Return an array.

        Raises:
            DataError: it is missing, damaged or holds Python objects.
        """
        with self._member(name) as file:
            shape, dtype = self._read_header(name, file)
            self._refuse_other_size(name, shape, dtype, file.tell())
            file.seek(0)
            array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
        return array

    def _refuse_other_size(
        self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], begin: int
    ) -> None:
        """Refuse an array whose shape asks for memory that its content does not fill."""
        info = self._archive.getinfo(f"{name}.npy")
        told, there = prod(shape) * dtype.itemsize, info.file_size - begin
        if told != there:
            kind = abbreviate(f"{shape} of {dtype}", 80)
            raise self._refusal(
                name, f"has shape {kind}, {told} bytes, and {there} bytes of content"
            )
        if there > most_expanded(info.compress_size):
            raise self._refusal(
                name,
                f"has {there} bytes out of {info.compress_size} in the file, more than 100 times "
                "as many",
            )

    def _refusal(self, name: str, found: str) -> DataError:
        return DataError(f"{self._where}: {_shown(name)} {found} - write it again")

    @contextmanager
    def _member(self, name: str) -> Iterator[IO[bytes]]:
        if name not in self.names:
            near = nearest(name, self.names)
            raise DataError(
                f"{self._where}: there is no array '{_shown(name)}' - "
                f"present: {', '.join(map(_shown, self.names[:SHOWN])) or 'none'}"
                + (f"; did you mean '{near}'?" if near else "")
            )
        try:
            with self._archive.open(f"{name}.npy") as file:
                yield file
        except DAMAGE as error:
            raise self._refusal(name, f"is damaged ({type(error).__name__})") from error

    def _read_header(self, name: str, file: IO[bytes]) -> Header:
        read = npy.read_array_header_2_0
        if npy.read_magic(file) == (1, 0):
            read = npy.read_array_header_1_0
        try:
            shape, _, dtype = read(file)
        except NO_LITERAL as error:
            raise ValueError("a header that cannot be read") from error
        if any(size < 0 for size in shape):
            raise ValueError("a negative size")
        if dtype.hasobject:
            raise DataError(
                f"{self._where}: {_shown(name)} holds Python objects, which are never loaded - "
                "expected numbers or, for class_names, texts"
            )
        return shape, dtype


def _shown(name: str) -> str:
    return abbreviate(name, 40)


@contextmanager
def opened_npz(where: str, path: Path) -> Iterator[Npz]:
    """Open an .npz file.

    Raises:
        DataError: there is none, or it is something else.
    """
    if not path.is_file():
        raise DataError(f"{where}: there is no such file - expected an .npz file")
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise DataError(f"{where}: cannot be read: {error.strerror or error}") from error
    except DAMAGE as error:
        reason = abbreviate(str(error))
        raise DataError(
            f"{where}: it is not an .npz file ({reason}) - expected what numpy.savez writes"
        ) from error
    with archive:
        yield Npz(where, archive)
