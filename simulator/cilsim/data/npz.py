"""Reads .npz files strictly: the arrays asked for, never a pickled object."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cilsim.errors import DataError
from cilsim.naming import nearest

Header = tuple[tuple[int, ...], np.dtype[Any]]


class Npz:
    """An open .npz file; `where` begins every error message."""

    def __init__(self, where: str, archive: zipfile.ZipFile) -> None:
        self._where = where
        self._archive = archive
        self.names = sorted(
            name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")
        )

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
        self.header(name)
        with self._member(name) as file:
            array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
        return array

    @contextmanager
    def _member(self, name: str) -> Iterator[IO[bytes]]:
        if name not in self.names:
            near = nearest(name, self.names)
            raise DataError(
                f"{self._where}: there is no array '{name}' - "
                f"present: {', '.join(self.names) or 'none'}"
                + (f"; did you mean '{near}'?" if near else "")
            )
        try:
            with self._archive.open(f"{name}.npy") as file:
                yield file
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise DataError(
                f"{self._where}: {name} is damaged ({type(error).__name__}) - write it again"
            ) from error

    def _read_header(self, name: str, file: IO[bytes]) -> Header:
        read = npy.read_array_header_2_0
        if npy.read_magic(file) == (1, 0):
            read = npy.read_array_header_1_0
        shape, _, dtype = read(file)
        if dtype.hasobject:
            raise DataError(
                f"{self._where}: {name} holds Python objects, which are never loaded - "
                "expected numbers or, for class_names, texts"
            )
        return shape, dtype


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
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{where}: it is not an .npz file ({error}) - expected what numpy.savez writes"
        ) from error
    with archive:
        yield Npz(where, archive)
