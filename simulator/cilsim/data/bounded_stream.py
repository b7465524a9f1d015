"""Opens tar archives so that no header can ask for more memory than a header needs."""

from __future__ import annotations

import bz2
import gzip
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

MOST_AT_ONCE = 4 << 20
"""Bytes; long names and other facts about a member are read at once, its content by pieces."""

_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"


@contextmanager
def tar_in(file: IO[bytes]) -> Iterator[tarfile.TarFile]:
    """Open the tar archive in a file, plain or compressed by gzip or bzip2.

    Raises:
        tarfile.TarError: it is something else.
        OSError: it cannot be read.
    """
    begin = file.read(len(_BZIP2))
    file.seek(0)
    with _decompressed(file, begin) as content:
        bounded: Any = _Bounded(content)
        with tarfile.open(fileobj=bounded, mode="r:") as archive:
            yield archive


def _decompressed(file: IO[bytes], begin: bytes) -> IO[bytes]:
    stream: Any = file
    if begin.startswith(_GZIP):
        stream = gzip.GzipFile(fileobj=file)
    elif begin.startswith(_BZIP2):
        stream = bz2.BZ2File(file)
    opened: IO[bytes] = stream
    return opened


class _Bounded:
    """A file that gives at most 4 MiB at once.

    `tarfile` reads the name of a member, or whatever else stands before it, in one piece of the
    size that the archive says.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            tarfile.ReadError: more are asked for than any header has.
        """
        if not 0 <= count <= MOST_AT_ONCE:
            raise tarfile.ReadError(f"a header of {count} bytes, at most {MOST_AT_ONCE} are read")
        return self._file.read(count)
