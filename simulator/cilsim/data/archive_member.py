"""Which members of an archive are read, which are passed over, and which refuse the whole of it."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath

from cilsim.scenario.origin import abbreviate

MOST_CHARACTERS = 1024
"""Of the name of a member; file systems allow 255 for each part."""

EXPANSION = 100
"""How many times the archive's own size its members may have together; photographs have once."""

ALWAYS_ALLOWED = 256 << 20
"""Bytes that the members of any archive may have together."""

HEADER = 512
"""Bytes that a member takes in a tar archive even if it is empty."""


class ArchiveRefused(Exception):
    """A member that no data set has; the message names it."""


def most_expanded(size: int) -> int:
    """Return how many bytes may come out of an archive or a member of `size` bytes."""
    return max(ALWAYS_ALLOWED, EXPANSION * size)


@dataclass
class Register:
    """What an archive had so far.

    Attributes:
        size: of the archive in bytes.
    """

    size: int
    _names: set[str] = field(default_factory=set)
    _bytes: int = 0

    def enter(self, name: str, size: int) -> None:
        """Count a member.

        Raises:
            ArchiveRefused: it is there twice, or with it the members are too large together.
        """
        if size < 0:  # a tar archive can say so, and its reader would go round in circles
            raise ArchiveRefused(f"{_shown(name)} has {size} bytes")
        self._bytes += size + HEADER
        if self._bytes > most_expanded(self.size):
            raise ArchiveRefused(
                f"up to {_shown(name)} its members have {self._bytes} bytes, more than "
                f"{EXPANSION} times the {self.size} of the archive"
            )
        if name in self._names:
            raise ArchiveRefused(f"{_shown(name)} is there twice")
        self._names.add(name)


def tar_member(member: tarfile.TarInfo, register: Register) -> str | None:
    """Return the name of a regular file, None for a folder or a link that stays inside.

    Raises:
        ArchiveRefused: the member is refused.
    """
    name = _checked(member.name)
    register.enter(name, member.size)
    if member.issym() or member.islnk():
        base = dirname(name) if member.issym() else ""
        _refuse_leading_out(name, join(base, member.linkname))
        return None
    if member.isdir():
        return None
    if not member.isreg():
        raise ArchiveRefused(f"{_shown(name)} is a device or a pipe")
    return name


def zip_member(member: zipfile.ZipInfo, register: Register) -> str | None:
    """Return the name of a regular file, None for a folder or a link, which is not followed.

    Raises:
        ArchiveRefused: the member is refused.
    """
    name = _checked(member.orig_filename)
    register.enter(name, member.file_size)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArchiveRefused(f"{_shown(name)} is compressed by method {member.compress_type}")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.is_dir() or kind in (stat.S_IFDIR, stat.S_IFLNK):
        return None
    if kind not in (0, stat.S_IFREG):
        raise ArchiveRefused(f"{_shown(name)} is a device or a pipe")
    return name


def _checked(name: str) -> str:
    """Return a name without what says nothing; refuse one that could mean another place."""
    parts = name.removesuffix("/").split("/")
    if ".." in parts or name.startswith("/") or name[1:2] == ":":
        raise ArchiveRefused(f"{_shown(name)} leads outside")
    if "\\" in name or any(ord(character) < 32 or character == "\x7f" for character in name):
        raise ArchiveRefused(f"{_shown(name)} has a character that no file name should have")
    if len(name) > MOST_CHARACTERS:
        raise ArchiveRefused(f"{_shown(name)} has a name of {len(name)} characters")
    return "/".join(part for part in parts if part not in ("", "."))


def _refuse_leading_out(name: str, target: str) -> None:
    """Refuse a link to another place than below the archive's own root."""
    found = normpath(target)
    if found.startswith(("/", "../")) or found == "..":
        raise ArchiveRefused(f"{_shown(name)} is a link that leads outside, to {_shown(target)}")


def _shown(name: str) -> str:
    return f"'{abbreviate(name, 80)}'"
