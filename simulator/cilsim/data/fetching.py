"""Fetches what a published data set needs and this machine does not have."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cilsim.data.download import Patience, download
from cilsim.data.holdings import holdings_of
from cilsim.data.publication import Publication, PublishedFile, md5_of
from cilsim.data.transfer_by_http import Progress
from cilsim.errors import DataError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fetched:
    """A file that is there now.

    Attributes:
        file: its name.
        state: fetched now, there before (and compared with its checksum), or unpacked before.
        path: of the file, or of what is unpacked.
        bytes: its size; 0 for a folder.
    """

    file: str
    state: Literal["fetched", "there", "unpacked"]
    path: Path
    bytes: int


def fetch(
    publication: Publication,
    root: Path,
    progress_of: Callable[[PublishedFile], Progress],
    patience: Patience,
) -> list[Fetched]:
    """Bring all files of a data set into its folder and return where each is.

    Args:
        publication: what is published.
        root: the data set's folder; made if it is missing.
        progress_of: returns what is told how the fetching of a file goes.
        patience: how long a bad connection is put up with.

    Raises:
        DataError: the data set has to be got by hand, or a file cannot be fetched.
    """
    if not publication.fetchable:
        names = ", ".join(map(str, publication.files))
        raise DataError(
            f"{publication.where}: it cannot be fetched from here - get it from "
            f"{publication.source} and put {names} into '{root}'"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{publication.where}: '{root}' cannot be made: {error.strerror or error} - "
            "give a --root that can be written"
        ) from error
    return [
        _fetch_file(publication, file, root, progress_of, patience) for file in publication.files
    ]


def _fetch_file(
    publication: Publication,
    file: PublishedFile,
    root: Path,
    progress_of: Callable[[PublishedFile], Progress],
    patience: Patience,
) -> Fetched:
    [holding] = [held for held in holdings_of(publication, root) if held.file == file.name]
    if holding.state == "unpacked" and holding.path is not None:
        return Fetched(file.name, "unpacked", holding.path, 0)
    if holding.state == "there" and holding.path is not None:
        if md5_of(holding.path) == file.md5:
            return Fetched(file.name, "there", holding.path, holding.bytes)
        _log.warning(
            "%s: '%s' is not the published file; fetched again", publication.where, holding.path
        )
    path = download(publication.where, file, root, progress_of(file), patience)
    return Fetched(file.name, "fetched", path, path.stat().st_size)
