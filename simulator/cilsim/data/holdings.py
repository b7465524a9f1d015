"""What of a published data set is on this machine, and whether it is what was published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cilsim.data.download import PART
from cilsim.data.publication import Publication, PublishedFile, md5_of
from cilsim.errors import DataError

State = Literal["there", "unpacked", "begun", "missing"]
Verdict = Literal["intact", "damaged", "unpacked", "unknown", "missing"]


@dataclass(frozen=True)
class Holding:
    """A published file and what there is of it.

    Attributes:
        file: its name.
        state: there as published, unpacked, begun to be fetched, or missing.
        path: of what is there, None if nothing is.
        bytes: its size; 0 for a folder.
    """

    file: str
    state: State
    path: Path | None
    bytes: int


@dataclass(frozen=True)
class Checked:
    """A file and whether it is what was published.

    Attributes:
        file: its place below the data set's folder.
        verdict: intact, damaged, unpacked (no checksums of its content are published), unknown
            (nor is one of the file), or missing.
        found: its MD5, empty if it was not needed.
        published: the published MD5, empty if there is none.
    """

    file: str
    verdict: Verdict
    found: str = ""
    published: str = ""

    @property
    def harm(self) -> bool:
        """Whether the data set cannot be used as it is."""
        return self.verdict in ("damaged", "missing")


def holdings_of(publication: Publication, root: Path) -> list[Holding]:
    """Return what there is of each file in the data set's folder."""
    return [_holding(file, root) for file in publication.files]


def state_of(holdings: list[Holding]) -> Literal["there", "incomplete", "absent"]:
    """Return whether all, some or none of the files are there."""
    there = [holding.state in ("there", "unpacked") for holding in holdings]
    if all(there):
        return "there"
    return "incomplete" if any(holding.path for holding in holdings) else "absent"


def check_holdings(publication: Publication, chosen: Path | None) -> list[Checked]:
    """Compare what is there with the published checksums.

    Args:
        publication: what is published.
        chosen: the data set's folder, None for that in the data root.

    Raises:
        DataError: nothing is there, or a file cannot be read.
    """
    root = publication.root(chosen)
    holdings = holdings_of(publication, root)
    if state_of(holdings) == "absent":
        names = ", ".join(map(str, publication.files))
        raise publication.missing(f"nothing of {names} is in '{root}'", chosen)
    checked = []
    for file, holding in zip(publication.files, holdings, strict=True):
        checked += _check(publication, file, holding, root)
    return checked


def _holding(file: PublishedFile, root: Path) -> Holding:
    for place in file.unpacked:
        if (root / place).exists():
            return Holding(file.name, "unpacked", root / place, 0)
    for path, state in ((root / file.name, "there"), (root / f"{file.name}{PART}", "begun")):
        if path.is_file():
            known: State = "there" if state == "there" else "begun"
            return Holding(file.name, known, path, path.stat().st_size)
    return Holding(file.name, "missing", None, 0)


def _check(
    publication: Publication, file: PublishedFile, holding: Holding, root: Path
) -> list[Checked]:
    if holding.state == "unpacked":
        members = publication.members
        found = [_compare(publication, root, name, md5) for name, md5 in members.items()]
        return found or [Checked(file.name, "unpacked", published=file.md5)]
    if holding.state == "there":
        return [_compare(publication, root, file.name, file.md5)]
    return [Checked(file.name, "missing", published=file.md5)]


def _compare(publication: Publication, root: Path, name: str, published: str) -> Checked:
    try:
        found = md5_of(root / name)
    except FileNotFoundError:
        return Checked(name, "missing", published=published)
    except OSError as error:
        raise DataError(
            f"{publication.where}: '{root / name}' cannot be read: {error.strerror or error} - "
            "make it readable or fetch it again"
        ) from error
    if not published:
        return Checked(name, "unknown", found)
    return Checked(name, "intact" if found == published else "damaged", found, published)
