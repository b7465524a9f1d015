"""Reads named files from a folder, tar or zip archive into memory; nothing is unpacked to disk.

An archive that tries to lead outside of itself, or to become much larger than it is, is refused
whole, whichever of its files are wanted (`cilsim.data.archive_member`).
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from cilsim.data.archive_member import ArchiveRefused, Register, tar_member, zip_member
from cilsim.data.bounded_stream import tar_in
from cilsim.errors import DataError

Member = tuple[str, int, Callable[[], bytes]]
"""Name in the archive, size in bytes, and what reads the content while the archive is open."""

MOST_BYTES = 1 << 30
"""Of one file that is read into memory."""

_CHUNK = 1 << 20
_DAMAGE = (
    EOFError,
    NotImplementedError,
    OverflowError,
    ValueError,
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
        path: a folder, or a tar (plain, gzip or bzip2) or zip archive.
        names: of the files, all needed.
        inside: the folder within the archive that holds them.

    Raises:
        DataError: a file is missing, too large or cannot be read, or the archive is damaged or
            refused.
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
        path: a tar (plain, gzip or bzip2) or zip archive.

    Raises:
        DataError: the archive is damaged, cannot be read, or has a member that is refused.
    """
    with _errors_named(where, path):
        found = _zip_members(path) if zipfile.is_zipfile(path) else _tar_members(path)
        for name, size, read in found:
            yield name, size, _guarded(read, where, path)


def members_within(where: str, path: Path, name: str, content: bytes) -> Iterator[Member]:
    """Yield the regular files of a tar archive that lies in another, as `members` does.

    Args:
        where: what errors begin with.
        path: of the outer archive.
        name: of the inner one.
        content: all bytes of the inner one.

    Raises:
        DataError: the inner archive is damaged or has a member that is refused.
    """
    inner = path / name
    with _errors_named(where, inner), tar_in(BytesIO(content)) as archive:
        for found, size, read in _files_of(archive, len(content)):
            yield found, size, _guarded(read, where, inner)


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
    except ArchiveRefused as error:
        raise DataError(
            f"{where}: '{path}' is refused: {error} - fetch it again from where it is published"
        ) from error
    except (*_DAMAGE, OSError) as error:
        # tarfile explains over several lines why it is none of its formats
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(":")
        raise DataError(
            f"{where}: '{path}' cannot be read: {reason} - fetch it again if it is damaged"
        ) from error


def _from_folder(where: str, folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    with _errors_named(where, folder):
        present = [name for name in names if (folder / name).is_file()]
        for name in present:
            _refuse_large(name, (folder / name).stat().st_size)
        return {name: (folder / name).read_bytes() for name in present}


def _refuse_large(name: str, size: int) -> None:
    if size > MOST_BYTES:
        raise ArchiveRefused(f"'{name}' has {size} bytes, at most {MOST_BYTES} are read")


def _tar_members(path: Path) -> Iterator[Member]:
    with path.open("rb") as file, tar_in(file) as archive:
        yield from _files_of(archive, path.stat().st_size)


def _files_of(archive: tarfile.TarFile, archive_bytes: int) -> Iterator[Member]:
    register = Register(archive_bytes)
    for member in archive:
        name = tar_member(member, register)
        if name is not None:
            yield name, member.size, _tar_reader(archive, member)


def _tar_reader(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        _refuse_large(member.name, member.size)
        content = archive.extractfile(member)
        assert content is not None, "only regular files are read"
        found = b"".join(iter(lambda: content.read(_CHUNK), b""))
        if len(found) != member.size:
            raise tarfile.ReadError(f"'{member.name}' is truncated")
        return found

    return read


def _zip_members(path: Path) -> Iterator[Member]:
    register = Register(path.stat().st_size)
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = zip_member(member, register)
            if name is not None:
                yield name, member.file_size, _zip_reader(archive, member)


def _zip_reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        _refuse_large(member.filename, member.file_size)
        if member.flag_bits & 1:
            raise zipfile.BadZipFile(f"'{member.filename}' is encrypted")
        return archive.read(member)

    return read
