"""One process per folder: a lock that the operating system drops when its holder dies."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from cilsim.errors import RunFolderError
from cilsim.results.atomic import cannot_write

LOCK_FILE = ".lock"


class FolderLock:
    """A lock on a folder, kept in its file `.lock`, which also says who holds it.

    Attributes:
        folder: the folder; it must exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / LOCK_FILE
        self._lock = FileLock(self._path, thread_local=False)

    def acquire(self, wait_seconds: float = 0.0) -> None:
        """Take the lock, waiting for at most `wait_seconds`.

        Raises:
            RunFolderError: another process holds it, or the folder cannot be written.
        """
        before = self._holder()  # older versions of filelock empty the file when they fail
        try:
            self._lock.acquire(timeout=wait_seconds)
        except Timeout as error:
            holder = self._holder() or before
            raise RunFolderError(f"{self.folder} is in use by another process{holder}") from error
        except OSError as error:
            raise cannot_write(self.folder, error) from error
        with suppress(OSError):  # only for the message to others
            self._path.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))

    def release(self) -> None:
        """Give the lock back; it is no error not to hold it."""
        self._lock.release(force=True)

    def __enter__(self) -> FolderLock:
        if not self._lock.is_locked:
            self.acquire()
        return self

    def __exit__(self, *raised: object) -> None:
        self.release()

    def _holder(self) -> str:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return f" (pid {found['pid']} on {found['host']})"
        except (OSError, ValueError, TypeError, KeyError):
            return ""
