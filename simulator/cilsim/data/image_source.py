"""Where the images of a data set are read from: its unpacked folder or the archive as published.

Both give the text files that say what is there, the names of files, and the images themselves. An
archive is read through once for its names and texts, which are then cached.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cilsim.data.archive import members, read_files
from cilsim.data.array_cache import Arrays, cache_key, cached_arrays
from cilsim.data.image_decoding import ImageFile
from cilsim.data.places import cache_root
from cilsim.errors import DataError

_FORMAT = 1
_LARGEST = 64 << 20
"""Bytes of one file of an archive; more is no photograph and no list of photographs."""
_SHOWN = 3
_log = logging.getLogger(__name__)


class ImageSource(Protocol):
    """Files by their names below the data set's folder, with `/` between the parts."""

    @property
    def path(self) -> Path:
        """Folder or archive."""

    @property
    def archives(self) -> tuple[Path, ...]:
        """Files as published that are read, whose checksums can be compared."""

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        """Return the content of text files; a missing one is an error."""

    def names_in(self, folder: str) -> list[str]:
        """Return the names of the files directly in a folder, sorted; none if it is missing."""

    def folders_in(self, folder: str) -> list[str]:
        """Return the names of the folders directly in a folder, sorted; none if it is missing."""

    def images(self, rows: Mapping[str, int]) -> Iterator[tuple[int, ImageFile]]:
        """Yield each of the named images with its row, in any order; missing ones are left out."""

    def state(self, names: Sequence[str]) -> Any:
        """Return plain data that changes with the named files; a missing one is an error."""


@dataclass(frozen=True)
class FolderSource:
    """An unpacked folder; `where` begins every error."""

    where: str
    path: Path

    @property
    def archives(self) -> tuple[Path, ...]:
        """None: no checksums of unpacked files are published."""
        return ()

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        """Return the content of text files; a missing one is an error."""
        return read_files(self.where, self.path, names)

    def names_in(self, folder: str) -> list[str]:
        """Return the names of the files directly in a folder, sorted; none if it is missing."""
        place = self.path / folder
        return sorted(file.name for file in place.iterdir()) if place.is_dir() else []

    def folders_in(self, folder: str) -> list[str]:
        """Return the names of the folders directly in a folder, sorted; none if it is missing."""
        place = self.path / folder
        found = place.iterdir() if place.is_dir() else ()
        return sorted(entry.name for entry in found if entry.is_dir())

    def images(self, rows: Mapping[str, int]) -> Iterator[tuple[int, ImageFile]]:
        """Yield each of the named images with its row, in any order."""
        return ((row, self.path / name) for name, row in rows.items())

    def state(self, names: Sequence[str]) -> Any:
        """Return path, and size and time of change of every file; a missing one is an error."""
        found: list[tuple[int, int]] = []
        missing = []
        for name in names:
            try:
                stat = (self.path / name).stat()
            except OSError:
                missing.append(name)
            else:
                found.append((stat.st_size, stat.st_mtime_ns))
        _require_none(self, self.where, missing)
        return [str(self.path.resolve()), found]


@dataclass(frozen=True)
class ArchiveSource:
    """A tar or zip archive.

    Attributes:
        where: begins every error.
        path: of the archive.
        inside: folder within the archive that holds everything.
        texts: names of the text files that will be read.
    """

    where: str
    path: Path
    inside: str
    texts: tuple[str, ...]

    @property
    def archives(self) -> tuple[Path, ...]:
        """The archive."""
        return (self.path,)

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        """Return the content of text files; a missing one is an error."""
        _require_none(self, self.where, [name for name in names if name not in self._files])
        return {name: self._index[f"text-{self.texts.index(name)}"].tobytes() for name in names}

    def names_in(self, folder: str) -> list[str]:
        """Return the names of the files directly in a folder, sorted; none if it is missing."""
        return sorted(self._by_folder.get(folder, ()))

    def folders_in(self, folder: str) -> list[str]:
        """Return the names of the folders directly in a folder, sorted; none if it is missing."""
        prefix = f"{folder}/" if folder else ""
        below = {name.removeprefix(prefix) for name in self._by_folder if name.startswith(prefix)}
        return sorted({name.partition("/")[0] for name in below} - {""})

    def images(self, rows: Mapping[str, int]) -> Iterator[tuple[int, ImageFile]]:
        """Yield each of the named images with its row, in the order of the archive."""
        for name, read in self._contents():
            row = rows.get(name)
            if row is not None:
                yield row, BytesIO(read())

    def state(self, names: Sequence[str]) -> Any:
        """Return path, size and time of change of the archive; a missing file is an error."""
        _require_none(self, self.where, [name for name in names if name not in self._files])
        stat = self.path.stat()
        return [str(self.path.resolve()), stat.st_size, stat.st_mtime_ns]

    @cached_property
    def _index(self) -> Arrays:
        """Return `names`, joined by line breaks, and the text files, as arrays of bytes."""
        stat = self.path.stat()
        about = str(self.path.resolve()), stat.st_size, stat.st_mtime_ns
        key = cache_key(_FORMAT, about, self.inside, self.texts)
        folder = cache_root() / "data" / f"archive-{key}"
        return cached_arrays(folder, self._build_index, lambda: {"archive": str(self.path)})

    def _build_index(self, folder: Path) -> None:
        _log.info("%s: listing the files of '%s' (once)", self.where, self.path)
        names = []
        for name, read in self._contents():
            names.append(name)
            if name in self.texts:
                _save_bytes(folder / f"text-{self.texts.index(name)}.npy", read())
        joined = "\n".join(names).encode(errors="surrogateescape")
        _save_bytes(folder / "names.npy", joined)

    def _contents(self) -> Iterator[tuple[str, Callable[[], bytes]]]:
        """Yield the files below `inside`, by their names there, and what reads each."""
        for full_name, size, read in members(self.where, self.path):
            name = full_name.removeprefix(f"{self.inside}/")
            if name == full_name:
                continue
            if size > _LARGEST:
                raise DataError(
                    f"{self.where}: '{self.path}' has a file '{name}' of {size} bytes - "
                    f"at most {_LARGEST} are read; fetch it again"
                )
            yield name, read

    @cached_property
    def _files(self) -> frozenset[str]:
        joined = self._index["names"].tobytes().decode(errors="surrogateescape")
        return frozenset(joined.split("\n"))

    @cached_property
    def _by_folder(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self._files:
            folder, _, file = name.rpartition("/")
            found.setdefault(folder, []).append(file)
        return found


def _save_bytes(path: Path, content: bytes) -> None:
    """Write bytes as an array that is never empty, for an empty one cannot be memory-mapped."""
    np.save(path, np.frombuffer(content + b"\n", dtype=np.uint8))


def leads_outside(name: str) -> bool:
    """Return whether a name out of a text file would leave the folder that it is below."""
    parts = name.split("/")
    return "" in parts or ".." in parts or "\\" in name or ":" in name


def quoted(names: Sequence[str]) -> str:
    """Return the first three names in quotes, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(repr(name) for name in names[:_SHOWN]) + more


def _require_none(source: ImageSource, where: str, missing: Sequence[str]) -> None:
    if missing:
        raise DataError(
            f"{where}: '{source.path}' has no file {quoted(missing)} - fetch and unpack it again"
        )
