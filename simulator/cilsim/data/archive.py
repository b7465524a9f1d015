"""Reads named files from a folder, tar or zip archive into memory; nothing is unpacked to disk.

Members are found by their exact names and only regular files count, so an archive cannot lead
outside of itself: links, devices and names such as `../x` are never followed.
"""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path

from cilsim.errors import DataError

Member = tuple[str, int, Callable[[], bytes]]
"""Name in the archive, size in bytes, and what reads the content while the archive is open."""
_DAMAGE = (
    EOFError,
    LZMAError,
    NotImplementedError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_files(
    where: str, path: Path, names: Sequence[str], *, inside: str = ""
) -> dict[str, bytes]:
    """Return the content of each named file.

    Args:
        where: what errors begin with.
        path: a folder, or a tar (compressed or not) or zip archive.
        names: of the files, all needed.
        inside: the folder within the archive that holds them.

    Raises:
        DataError: a file is missing or cannot be read, or the archive is damaged.
    """
    if path.is_dir():
        found = _from_folder(where, path, names)
    else:
        wanted = {f"{inside}/{name}": name for name in names}
        found = {wanted[name]: read() for name, _, read in members(where, path) if name in wanted}
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(
            f"{where}: '{path}' has no file {', '.join(repr(name) for name in missing)} - "
            "fetch and unpack it again"
        )
    return found


def members(where: str, path: Path) -> Iterator[Member]:
    """Yield the regular files of an archive in its order, each to be read before the next.

    Args:
        where: what errors begin with.
        path: a tar (compressed or not) or zip archive.

    Raises:
        DataError: the archive is damaged or cannot be read.
    """
    with _errors_named(where, path):
        found = _zip_members(path) if zipfile.is_zipfile(path) else _tar_members(path)
        for name, size, read in found:
            yield name, size, _guarded(read, where, path)


def _guarded(read: Callable[[], bytes], where: str, path: Path) -> Callable[[], bytes]:
    def guarded() -> bytes:
        with _errors_named(where, path):
            return read()

    return guarded


@contextmanager
def _errors_named(where: str, path: Path) -> Iterator[None]:
    """Turn what reading raises into one line."""
    try:
        yield
    except (*_DAMAGE, OSError) as error:
        # tarfile explains over several lines why it is none of its formats
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(":")
        raise DataError(
            f"{where}: '{path}' cannot be read: {reason} - fetch it again if it is damaged"
        ) from error


def _from_folder(where: str, folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    with _errors_named(where, folder):
        return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def _tar_members(path: Path) -> Iterator[Member]:
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isreg():
                yield member.name.removeprefix("./"), member.size, _tar_reader(archive, member)


def _tar_reader(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        content = archive.extractfile(member)
        return content.read() if content is not None else b""

    return read


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if not member.is_dir() and kind in (0, stat.S_IFREG):
                yield member.filename, member.file_size, _zip_reader(archive, member)


def _zip_reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        if member.flag_bits & 1:
            raise zipfile.BadZipFile(f"'{member.filename}' is encrypted")
        return archive.read(member)

    return read
