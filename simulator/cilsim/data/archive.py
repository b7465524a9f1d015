"""Reads named files from a folder or a tar archive into memory; nothing is unpacked to disk."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from cilsim.errors import DataError


def read_files(
    where: str, path: Path, names: Sequence[str], *, inside: str = ""
) -> dict[str, bytes]:
    """Return the content of each named file.

    Args:
        where: what errors begin with.
        path: a folder, or a tar archive (compressed or not).
        names: of the files, all needed.
        inside: the folder within the archive that holds them.

    Raises:
        DataError: a file is missing or cannot be read, or the archive is damaged.
    """
    try:
        found = _from_folder(path, names) if path.is_dir() else _from_tar(path, names, inside)
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DataError(
            f"{where}: '{path}' cannot be read: {error} - fetch it again if it is damaged"
        ) from error
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(
            f"{where}: '{path}' has no file {', '.join(repr(name) for name in missing)} - "
            "fetch and unpack it again"
        )
    return found


def _from_folder(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def _from_tar(path: Path, names: Sequence[str], inside: str) -> dict[str, bytes]:
    wanted = {f"{inside}/{name}": name for name in names}
    found = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = wanted.get(member.name.removeprefix("./"))
            content = archive.extractfile(member) if name and member.isreg() else None
            if name and content is not None:
                found[name] = content.read()
    return found
