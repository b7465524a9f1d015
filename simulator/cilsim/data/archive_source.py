"""An archive as published as the source of images.

It is read through once for its names and texts, which are then cached.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from cilsim.data.archive import members
from cilsim.data.array_cache import Arrays, cache_key, cached_arrays
from cilsim.data.image_decoding import ImageFile
from cilsim.data.image_source import refuse_missing
from cilsim.data.places import cache_root
from cilsim.errors import DataError

_FORMAT = 1
_LARGEST = 64 << 20
"""Bytes of one file of an archive; more is no photograph and no list of photographs."""
_log = logging.getLogger(__name__)


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
        refuse_missing(self.where, self.path, [name for name in names if name not in self._files])
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
        refuse_missing(self.where, self.path, [name for name in names if name not in self._files])
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
