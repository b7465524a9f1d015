"""Changes to the files of a folder, and what its list of checksums says during and after them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from cilsim.results.atomic import cannot_write, replace_file, sync
from cilsim.results.reading import read_bytes
from cilsim.results.sums import Beginning, Sums, sum_of


@dataclass
class Changes:
    """What is to change, by name of the file."""

    written: dict[str, bytes] = field(default_factory=dict)
    growing: set[str] = field(default_factory=set)
    appended: dict[str, bytes] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    adopted: set[str] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)
    disowned: set[str] = field(default_factory=set)

    def write(self, name: str, content: bytes, grows: bool = False) -> None:
        """Give a file new content; `grows` says that it will be appended to."""
        self.written[name] = content
        if grows:
            self.growing.add(name)

    def append(self, name: str, content: bytes) -> None:
        """Add to the end of a file that was written as one that grows."""
        self.appended[name] = content

    def remove(self, name: str) -> None:
        """Remove a file; one that is missing is no error."""
        self.removed.add(name)

    def adopt(self, name: str) -> None:
        """List a file as it is, which somebody else has written."""
        self.adopted.add(name)

    def adopt_beginning(self, name: str) -> None:
        """Note what a file has by now, to which somebody else goes on appending."""
        self.begun.add(name)

    def disown(self, name: str) -> None:
        """Strike a file out of the list, which somebody else is about to write anew."""
        self.disowned.add(name)


@dataclass
class Grown:
    """The sum of what a file has so far, ready to be continued."""

    hasher: Any = field(default_factory=sha256)
    size: int = 0

    def extended(self, content: bytes) -> Grown:
        """Return the sum of the file with more bytes at its end."""
        hasher = self.hasher.copy()
        hasher.update(content)
        return Grown(hasher, self.size + len(content))

    @property
    def beginning(self) -> Beginning:
        """What the list says of a file that has this much."""
        return Beginning(self.hasher.hexdigest(), self.size)


class Plan:
    """How changes are carried out.

    Args:
        folder: the folder.
        sums: what its list says.
        changes: what is to change.
        grown: what files have by name that grow.

    Attributes:
        needed: whether anything changes.
        during: the list while files change.
        after: the list when they have changed.
        grown: what files that grow will have.
    """

    def __init__(
        self, folder: Path, sums: Sums, changes: Changes, grown: Mapping[str, Grown]
    ) -> None:
        self._folder, self._changes, self._before = folder, changes, grown
        self._written = {
            name: content
            for name, content in changes.written.items()
            if not _holds(folder, sums, name, content)
        }
        self.grown = {name: Grown().extended(changes.written[name]) for name in changes.growing}
        self.grown |= {name: grown[name].extended(end) for name, end in changes.appended.items()}
        self.grown |= {name: self._caught_up(name) for name in changes.begun}
        new = self._new_sums(sums)
        begun = {name: self.grown[name].beginning for name in changes.begun}
        self.needed = bool(new or sums.damage or begun.items() - sums.begins.items())
        appending = {name: grown[name].beginning for name in changes.appended}
        self.during, self.after = _during(sums, new, appending), _after(sums, new, begun)

    def carry_out(self) -> None:
        """Change the files.

        Raises:
            RunFolderError: the folder cannot be written.
        """
        for name, content in self._written.items():
            replace_file(self._folder / name, content)
        for name, content in self._changes.appended.items():
            _append(self._folder / name, self._before[name].size, content)
        for name in self._changes.removed:
            _remove(self._folder / name)
        for folder in {(self._folder / name).parent for name in self._written}:
            sync(folder)

    def _new_sums(self, sums: Sums) -> dict[str, tuple[str, ...]]:
        """Return the sums of files that change; none for those that are struck out."""
        new = {name: (sum_of(content),) for name, content in self._written.items()}
        new |= {name: (self.grown[name].beginning.sum,) for name in self._changes.appended}
        for name in self._changes.adopted:
            found = (_file_sum(self._folder / name),)
            if sums.listed.get(name) != found:
                new[name] = found
        struck = self._changes.removed | self._changes.disowned
        return new | {name: () for name in struck if sums.knows(name)}

    def _caught_up(self, name: str) -> Grown:
        """Read what has been appended since the last look, and force it to the disk."""
        known = self._before.get(name, Grown())
        with (self._folder / name).open("rb") as file:
            os.fsync(file.fileno())
            file.seek(known.size)
            return known.extended(file.read())


def _holds(folder: Path, sums: Sums, name: str, content: bytes) -> bool:
    """Return whether a file has that content already, and the list says so."""
    settled = sums.listed.get(name) == (sum_of(content),) and name not in sums.absent
    return settled and read_bytes(folder / name) == content


def _during(
    sums: Sums, new: Mapping[str, tuple[str, ...]], appending: Mapping[str, Beginning]
) -> Sums:
    both = {
        name: tuple(dict.fromkeys((*sums.listed.get(name, ()), *found)))
        for name, found in new.items()
    }
    absent = {name for name, found in new.items() if not found or name not in sums.listed}
    begins = {**sums.begins, **appending}
    return replace(sums.with_sums(both), absent=sums.absent | absent, begins=begins, damage="")


def _after(sums: Sums, new: Mapping[str, tuple[str, ...]], begun: Mapping[str, Beginning]) -> Sums:
    begins = {name: begin for name, begin in sums.begins.items() if name not in new} | dict(begun)
    return replace(sums.with_sums(new), absent=sums.absent - set(new), begins=begins, damage="")


def _append(path: Path, at: int, content: bytes) -> None:
    """Write `content` at a position of a file, which ends with it then."""
    try:
        with path.open("r+b") as file:
            file.truncate(at)
            file.seek(at)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(path, error) from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def _file_sum(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
