"""The arrays of data sets that were made once and are kept in the cache: which there are."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from cilsim.data.places import cache_root
from cilsim.errors import DataError

FOLDER = "data"
UNFINISHED = ".unfinished"
"""How the name of a folder ends while it is made."""


@dataclass(frozen=True)
class CachedSet:
    """One folder of arrays.

    Attributes:
        folder: the folder; its name begins with that of the data set.
        bytes: its size on the disk.
        made: when, in seconds since 1970.
    """

    folder: Path
    bytes: int
    made: float


def cached_sets() -> list[CachedSet]:
    """Return the folders of arrays, sorted by name."""
    root = cache_root() / FOLDER
    folders = [
        path for path in root.glob("*") if path.is_dir() and not path.name.endswith(UNFINISHED)
    ]
    return [
        CachedSet(folder, sum(map(_bytes, folder.iterdir())), folder.stat().st_mtime)
        for folder in sorted(folders)
    ]


def clear_sets() -> list[CachedSet]:
    """Remove all folders of arrays, once nobody builds them, and return what there was.

    Raises:
        DataError: a folder cannot be removed.
    """
    found = cached_sets()
    for one in found:
        try:
            with FileLock(f"{one.folder}.lock"):
                shutil.rmtree(one.folder)
        except OSError as error:
            raise DataError(
                f"cache '{one.folder}' cannot be removed: {error.strerror or error}"
            ) from error
    return found


def _bytes(file: Path) -> int:
    return file.stat().st_size
