"""`SHA256SUMS`: the checksums of the files of one folder, in the format of `sha256sum`.

`sha256sum -c SHA256SUMS` checks a folder at rest. Lines that begin with `#` are comments to it;
three kinds of them mean something here:

    # may be missing: <name>             it is being written for the first time, or being removed
    # begins: <sum> <bytes> <name>       the first bytes of a file that grows
    # sum of the lines above: <sum>      always the last line
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from cilsim.results.atomic import write_bytes
from cilsim.results.reading import read_bytes

SUMS = "SHA256SUMS"

_HEAD = "# SHA-256 of the files here; sha256sum -c checks them, cilsim verify checks the whole run"
_LISTED = re.compile(r"([0-9a-f]{64})  (.+)")
_ABSENT = re.compile(r"# may be missing: (.+)")
_BEGINS = re.compile(r"# begins: ([0-9a-f]{64}) (\d{1,18}) (.+)")
_SEAL = "# sum of the lines above: "


@dataclass(frozen=True)
class Beginning:
    """The first bytes of a file that grows."""

    sum: str
    bytes: int


@dataclass(frozen=True)
class Sums:
    """What a list says.

    Attributes:
        listed: the sums that a file may have, by name with `/` between folders; more than one
            only where a process died while it changed the file.
        absent: names of files that may be missing.
        begins: beginnings of files that grow; all beyond is vouched for by nothing.
        damage: what is wrong with the list itself; a line of it that matches a file still proves
            that file.
    """

    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    begins: Mapping[str, Beginning] = field(default_factory=dict)
    damage: str = ""

    def judge(self, name: str, content: bytes) -> int | None:
        """Return how many bytes of `content` are what was written, or None if it is damaged."""
        if sum_of(content) in self.listed.get(name, ()):
            return len(content)
        begun = self.begins.get(name)
        if begun is None or sum_of(content[: begun.bytes]) != begun.sum:
            return None
        return begun.bytes

    def knows(self, name: str) -> bool:
        """Return whether there is anything about a file."""
        return name in self.listed or name in self.begins

    def with_sums(self, found: Mapping[str, tuple[str, ...]]) -> Sums:
        """Return the list with other sums for some files; an empty tuple strikes one out."""
        listed = {name: sums for name, sums in {**self.listed, **found}.items() if sums}
        return replace(self, listed=listed)


def sum_of(content: bytes) -> str:
    """Return the SHA-256 of some bytes as hexadecimal text."""
    return sha256(content).hexdigest()


def read_sums(folder: Path) -> Sums | None:
    """Return the list of a folder, or None if it has none.

    Raises:
        CheckpointError: it cannot be read.
    """
    content = read_bytes(folder / SUMS)
    return None if content is None else _parsed(content)


def write_sums(folder: Path, sums: Sums) -> None:
    """Write the list of a folder.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    body = "".join(f"{line}\n" for line in _lines(sums)).encode()
    write_bytes(folder / SUMS, body + f"{_SEAL}{sum_of(body)}\n".encode())


def _lines(sums: Sums) -> Iterator[str]:
    yield _HEAD
    for name, found in sorted(sums.listed.items()):
        for one in found:
            yield f"{one}  {name}"
    for name in sorted(sums.absent):
        yield f"# may be missing: {name}"
    for name, begun in sorted(sums.begins.items()):
        yield f"# begins: {begun.sum} {begun.bytes} {name}"


def _parsed(content: bytes) -> Sums:
    *lines, _ = content.decode(errors="replace").split("\n")
    listed: dict[str, tuple[str, ...]] = {}
    absent: set[str] = set()
    begins: dict[str, Beginning] = {}
    for line in lines:
        if found := _LISTED.fullmatch(line):
            listed[found[2]] = (*listed.get(found[2], ()), found[1])
        elif found := _ABSENT.fullmatch(line):
            absent.add(found[1])
        elif found := _BEGINS.fullmatch(line):
            begins[found[3]] = Beginning(found[1], int(found[2]))
    return Sums(listed, frozenset(absent), begins, _damage(content))


def _damage(content: bytes) -> str:
    """Return what is wrong with a list, or an empty text."""
    at = content.rfind(_SEAL.encode())
    if at < 0 or content[at:] != f"{_SEAL}{sum_of(content[:at])}\n".encode():
        return "the sum in its last line does not match the lines above"
    return ""
