"""Where the images of a data set are read from: its unpacked folder or the archive as published.

Both give the text files that say what is there, the names of files, and the images themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cilsim.data.archive import read_files
from cilsim.data.image_decoding import ImageFile
from cilsim.errors import DataError

_SHOWN = 3


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
        refuse_missing(self.where, self.path, missing)
        return [str(self.path.resolve()), found]


def leads_outside(name: str) -> bool:
    """Return whether a name out of a text file would leave the folder that it is below."""
    parts = name.split("/")
    return "" in parts or ".." in parts or "\\" in name or ":" in name


def quoted(names: Sequence[str]) -> str:
    """Return the first three names in quotes, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(repr(name) for name in names[:_SHOWN]) + more


def refuse_missing(where: str, path: Path, missing: Sequence[str]) -> None:
    """Raise an error that begins with `where` if files are missing at `path`."""
    if missing:
        raise DataError(
            f"{where}: '{path}' has no file {quoted(missing)} - fetch and unpack it again"
        )
