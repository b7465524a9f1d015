"""The index as something to ask: a damaged file is made anew, and memory stands in for a place."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cilsim.errors import RunFolderError
from cilsim.index.database import Unusable, connect, forget

logger = logging.getLogger(__name__)

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_NO_PLACE = frozenset(
    {
        *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM),
        *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_AUTH),
    }
)

Answer = TypeVar("Answer")


class LastingDatabase:
    """A database whose contents can always be made again.

    Args:
        path: its file; memory takes its place where none can be written.
        fill: puts in what it should hold, after it had to be made anew.

    Raises:
        RunFolderError: it is in use for too long, or damaged and cannot be removed.
    """

    def __init__(self, path: Path, fill: Callable[[sqlite3.Connection], object]) -> None:
        self._path: Path | None = path
        self._fill = fill
        self._connection = self._connected()

    def answer(self, ask: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Ask it; where it turns out to be damaged, make it anew, fill it and ask again.

        Raises:
            RunFolderError: another process writes it for too long.
        """
        try:
            return ask(self._connection)
        except sqlite3.OperationalError as error:
            self._start_after(error)
        except sqlite3.DatabaseError as error:
            self._start_after_damage(error)
        self._fill(self._connection)
        return ask(self._connection)

    def start_anew(self) -> None:
        """Forget everything.

        Raises:
            RunFolderError: the file cannot be removed.
        """
        self._connection.close()
        if self._path is not None:
            forget(self._path)
        self._connection = self._connected()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _connected(self) -> sqlite3.Connection:
        try:
            return connect(self._path)
        except Unusable as error:
            assert self._path is not None  # nothing is damaged in memory
            self._tell_damage(error)
            forget(self._path)
            return connect(self._path)
        except sqlite3.OperationalError as error:
            return self._in_memory(error)

    def _start_after(self, error: sqlite3.OperationalError) -> None:
        self._connection.close()
        if _code(error) in _NO_PLACE | _BUSY:
            self._connection = self._in_memory(error)
        else:  # a table is missing
            self._start_after_damage(error)

    def _start_after_damage(self, error: sqlite3.DatabaseError) -> None:
        self._tell_damage(error)
        self.start_anew()

    def _in_memory(self, error: sqlite3.OperationalError) -> sqlite3.Connection:
        if _code(error) in _BUSY:
            raise RunFolderError(
                f"{self._path}: another process has been writing the index for too long; try again"
            ) from error
        logger.warning("%s: %s; the index is kept in memory", self._path, error)
        self._path = None
        return connect(None)

    def _tell_damage(self, error: Exception) -> None:
        logger.warning("%s: %s; the index is made anew", self._path, error)


def _code(error: sqlite3.OperationalError) -> int:
    """Return SQLite's primary code of an error."""
    return error.sqlite_errorcode & 0xFF
