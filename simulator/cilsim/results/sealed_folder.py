"""A folder whose files are listed with their checksums: what is read is what was written.

Several files change together. First the list is written with the old and the new sum of each, then
the files, then the list with the new sums alone. A process may die anywhere in between: a file that
is old or new matches its line, and one that has changed otherwise does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePath

from cilsim.errors import CheckpointError
from cilsim.results.atomic import cannot_write
from cilsim.results.changes import Changes, Grown, Plan
from cilsim.results.reading import damaged, read_bytes
from cilsim.results.sums import SUMS, Sums, read_sums, sum_of, write_sums

EVENT_FILES = "events.out.tfevents.*"

LOOKS = 3
"""How often a file is compared with its line while another process changes both."""

_Mark = tuple[int, int, int]


class SealedFolder:
    """The files of a folder that are listed in its `SHA256SUMS`; one process at a time may write.

    Attributes:
        path: the folder; made when something is first written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: tuple[_Mark | None, Sums] | None = None
        self._grown: dict[str, Grown] = {}

    @property
    def sums(self) -> Sums:
        """What the list says; it is read again when it has changed."""
        mark = _mark(self.path / SUMS)
        if self._known is None or self._known[0] != mark:
            self._known = (mark, read_sums(self.path) or Sums())
        return self._known[1]

    def read(self, name: str) -> bytes | None:
        """Return what was written to a file, or None before it was.

        Of a file that was growing when a process died, the part is returned that is known.

        Raises:
            CheckpointError: it is missing, damaged, or not listed; the message names it.
        """
        for _ in range(LOOKS):
            sums, content = self.sums, read_bytes(self.path / name)
            if content is None and (name in sums.absent or not sums.knows(name)):
                return None
            good = None if content is None else sums.judge(name, content)
            if content is not None and good is not None:
                return content[:good]
            if self.sums is sums:
                break
        raise self._complaint(name, missing=content is None)

    def agrees(self, name: str, content: bytes) -> bool:
        """Return whether `content` is what was last written, by the list or by the file itself."""
        listed = self.sums.listed.get(name, ())
        return sum_of(content) in listed or read_bytes(self.path / name) == content

    @contextmanager
    def changes(self) -> Iterator[Changes]:
        """Yield what collects changes; they are made together when the block ends well.

        Raises:
            RunFolderError: the folder cannot be written.
        """
        changes = Changes()
        yield changes
        try:
            plan = Plan(self.path, self._proven_sums(), changes, self._grown)
            if plan.needed:
                write_sums(self.path, plan.during)
                plan.carry_out()
                write_sums(self.path, plan.after)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        self._grown.update(plan.grown)

    def write(self, name: str, content: bytes) -> None:
        """Write one file; see `changes`."""
        with self.changes() as changes:
            changes.write(name, content)

    def adopt_all(self, names: Iterable[str]) -> None:
        """List files that reporters have written, in place of the event files listed so far.

        Raises:
            RunFolderError: the folder cannot be written.
        """
        found = set(names)
        with self.changes() as changes:
            for name in found:
                changes.adopt(name)
            for name in self.sums.listed:
                if PurePath(name).match(EVENT_FILES) and name not in found:
                    changes.disown(name)

    def _proven_sums(self) -> Sums:
        """Return the list to go on with; of a damaged one, only the lines that match their file."""
        sums = self.sums
        if not sums.damage:
            return sums
        proven = {
            name: found
            for name, found in sums.listed.items()
            if sum_of(read_bytes(self.path / name) or b"") in found
        }
        return replace(sums, listed=proven, absent=frozenset(), begins={})

    def _complaint(self, name: str, *, missing: bool) -> CheckpointError:
        path = self.path / name
        if missing:
            return CheckpointError(f"{path}: is missing, though listed in {SUMS}")
        if self.sums.knows(name):
            return damaged(path, f"its checksum does not match the one in {SUMS}")
        return CheckpointError(f"{path}: cannot be checked: {SUMS} does not list it")


def _mark(path: Path) -> _Mark | None:
    """Return what tells one version of a file from another; a rename changes it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
