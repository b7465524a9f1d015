"""One entry of the content-addressed store, as its folder tells of it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cilsim.errors import CheckpointError
from cilsim.results.state_file import STATE_FILE, read_state_file


@dataclass(frozen=True)
class CacheEntry:
    """One stored state.

    Attributes:
        kind: such as `backbone` or `features`.
        key: the hash of what it depends on.
        bytes: its size on the disk.
        used: when it was last stored or read, in seconds since 1970.
        facts: what the writer said about it; empty if the entry is damaged.
    """

    kind: str
    key: str
    bytes: int
    used: float
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path) -> CacheEntry:
        """Return the entry in `<kind>/<key>`."""
        used = last_used(folder) / 1e9
        return cls(folder.parent.name, folder.name, size_of(folder), used, _facts(folder))


def touch(folder: Path) -> None:
    """Note that an entry was used; a cache that is only readable stays as it is."""
    now = time.time_ns()
    with suppress(OSError):
        os.utime(folder / STATE_FILE, ns=(now, now))


def last_used(folder: Path) -> int:
    """Return when an entry was last stored or read, in nanoseconds since 1970."""
    try:
        return (folder / STATE_FILE).stat().st_mtime_ns
    except OSError:
        return 0  # without state.json it is of no use to anybody


def size_of(folder: Path) -> int:
    """Return the bytes of an entry on the disk."""
    try:
        return sum(path.stat().st_size for path in folder.iterdir())
    except OSError:
        return 0  # another process has just removed it


def _facts(folder: Path) -> dict[str, Any]:
    try:
        return read_state_file(folder).facts
    except CheckpointError:
        return {}
