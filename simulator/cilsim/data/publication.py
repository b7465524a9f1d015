"""What is published of a data set: its files with checksums, where they are, and under what terms.

Nothing here touches the network; `cilsim.data.download` does, for `cilsim data fetch` alone.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path

from cilsim.data.places import data_root
from cilsim.errors import DataError


@dataclass(frozen=True)
class PublishedFile:
    """A file as published.

    Attributes:
        name: of the file.
        md5: the published checksum, empty if there is none.
        size: in bytes, 0 if not published.
        addresses: where it can be fetched without an account; tried in this order.
        unpacked: places below the data set's folder; where one is there, the file is not needed.

    Raises:
        ValueError: it could be fetched, but nobody could tell whether it is the right one.
    """

    name: str
    md5: str = ""
    size: int = 0
    addresses: tuple[str, ...] = ()
    unpacked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.addresses and not self.md5:
            raise ValueError(f"'{self.name}' has an address and no checksum")

    def __str__(self) -> str:
        """Return name and what identifies the content."""
        known = [f"{self.size} bytes"] * bool(self.size) + [f"md5 {self.md5}"] * bool(self.md5)
        return f"'{self.name}'" + (f" ({', '.join(known)})" if known else "")


@dataclass(frozen=True)
class Publication:
    """What a data set consists of, and where it is published.

    Attributes:
        name: of the data set, as in a scenario.
        page: web page of its authors, or that of the file itself.
        licence: in a few words.
        classes: number of classes; None if it depends on options.
        train: number of training samples; None if it depends on options.
        test: number of test samples, likewise.
        files: all that are needed, as published.
        members: published MD5 of unpacked files, by their place below the data set's folder.
        by_hand: what to know for getting it by hand; given if it cannot be fetched.
    """

    name: str
    page: str
    licence: str
    classes: int | None
    train: int | None
    test: int | None
    files: tuple[PublishedFile, ...]
    members: Mapping[str, str] = field(default_factory=dict)
    by_hand: str = ""

    @property
    def where(self) -> str:
        """What errors begin with."""
        return f"data set '{self.name}'"

    @property
    def size(self) -> int:
        """Bytes of all files, 0 if that of one is not published."""
        sizes = [file.size for file in self.files]
        return sum(sizes) if all(sizes) else 0

    @property
    def fetchable(self) -> bool:
        """Whether every file can be fetched without an account."""
        return bool(self.files) and all(file.addresses for file in self.files)

    @property
    def source(self) -> str:
        """The page, with what to know for getting the files by hand."""
        return f"{self.page} ({self.by_hand})" if self.by_hand else self.page

    def root(self, chosen: Path | None) -> Path:
        """Return the data set's folder: the chosen one, or that in the data root."""
        return data_root() / self.name if chosen is None else chosen

    def missing(self, what: str, chosen: Path | None) -> DataError:
        """Return the error that files are missing, with the command that fetches them.

        Args:
            what: which files are not where.
            chosen: the folder that the scenario gives, if it does.
        """
        way = f"from {self.source}"
        if self.fetchable:
            command = ["cilsim", "data", "fetch", self.name]
            command += [] if chosen is None else ["--root", str(chosen)]
            way = f"with '{shlex.join(command)}' or {way}"
        return DataError(
            f"{self.where}: {what} - fetch it {way} into that folder; "
            "the data set 'glyphs100' needs no download"
        )


def md5_of(path: Path) -> str:
    """Return the MD5 of a file as hexadecimal text."""
    with path.open("rb") as file:
        return file_digest(file, "md5").hexdigest()


def require_intact(publication: Publication, paths: Iterable[Path]) -> None:
    """Compare files, by their names, with their published checksums.

    Raises:
        DataError: one differs.
    """
    expected = {file.name: file.md5 for file in publication.files}
    for path in paths:
        found = md5_of(path)
        if found != expected[path.name]:
            raise DataError(
                f"{publication.where}: '{path}' has md5 {found} - published is "
                f"{expected[path.name]} - fetch it from {publication.page} again, or set "
                "'verify: false' if it was changed on purpose"
            )
