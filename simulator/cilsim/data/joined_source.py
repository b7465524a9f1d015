"""The files of a data set that is published as several archives, as if they were one folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cilsim.data.archive_source import ArchiveSource
from cilsim.data.image_decoding import ImageFile
from cilsim.data.image_set import ImageSet, ImageSetOptions
from cilsim.data.image_source import FolderSource, ImageSource
from cilsim.data.publication import PublishedFile

AS_IT_IS = ""
"""In place of a folder: files that are not in an archive."""


class Opener(Protocol):
    """What makes a source of an archive; `ArchiveSource` is one."""

    def __call__(self, where: str, path: Path, inside: str, texts: tuple[str, ...]) -> ImageSource:
        """Return the source; `texts` are the text files that will be read from it."""


@dataclass(frozen=True)
class JoinedSource:
    """Several sources, each known by the folder that the names of its files begin with.

    Attributes:
        path: the folder that holds them all.
        sources: by that folder; files in no folder are read as they are.
        plain: further published files that are read.
    """

    path: Path
    sources: Mapping[str, ImageSource]
    plain: tuple[Path, ...] = ()

    @property
    def archives(self) -> tuple[Path, ...]:
        """Files as published that are read, whose checksums can be compared."""
        read = [path for source in self.sources.values() for path in source.archives]
        return (*read, *self.plain)

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        """Return the content of text files; a missing one is an error."""
        found = {}
        for folder, inner in _by_folder(names).items():
            for name, content in self.sources[folder].read(inner).items():
                found[_joined(folder, name)] = content
        return found

    def names_in(self, folder: str) -> list[str]:
        """Return the names of the files directly in a folder, sorted; none if it is missing."""
        first, _, rest = folder.partition("/")
        return self.sources[first].names_in(rest) if first in self.sources else []

    def folders_in(self, folder: str) -> list[str]:
        """Return the names of the folders directly in a folder, sorted; none if it is missing."""
        first, _, rest = folder.partition("/")
        return self.sources[first].folders_in(rest) if first in self.sources else []

    def images(self, rows: Mapping[str, int]) -> Iterator[tuple[int, ImageFile]]:
        """Yield each of the named images with its row, source after source."""
        for folder, names in _by_folder(list(rows)).items():
            yield from self.sources[folder].images(
                {name: rows[_joined(folder, name)] for name in names}
            )

    def state(self, names: Sequence[str]) -> Any:
        """Return plain data that changes with the named files; a missing one is an error."""
        return [
            [folder, self.sources[folder].state(inner)]
            for folder, inner in _by_folder(names).items()
        ]


def find_parts(
    published: ImageSet, options: ImageSetOptions, openers: Mapping[str, Opener] | None = None
) -> JoinedSource:
    """Return a set's parts, each from its unpacked folder or else from its archive.

    Args:
        published: has parts.
        options: say where they are.
        openers: for archives that are laid out in their own way, by the folder in question.

    Raises:
        DataError: a part is missing.
    """
    publication = published.publication
    root = publication.root(options.root)
    place = root / published.folder if (root / published.folder).is_dir() else root
    sources: dict[str, ImageSource] = {AS_IT_IS: FolderSource(published.where, place)}
    plain = []
    for part in published.parts:
        folder = part.unpacked[0] if part.unpacked else AS_IT_IS
        unpacked = bool(folder) and (place / folder).is_dir()
        if not unpacked and not (place / part.name).is_file():
            raise publication.missing(_absent(part, folder, place), options.root)
        if unpacked:
            sources[folder] = FolderSource(published.where, place / folder)
        elif folder in sources:  # read as it is, or beside the archive that is unpacked there
            plain.append(place / part.name)
        else:
            opener = (openers or {}).get(folder, ArchiveSource)
            path, texts = place / part.name, _below(folder, published.texts)
            sources[folder] = opener(published.where, path, folder, texts)
    return JoinedSource(place, sources, tuple(plain))


def _below(folder: str, names: Sequence[str]) -> tuple[str, ...]:
    prefix = f"{folder}/"
    return tuple(name.removeprefix(prefix) for name in names if name.startswith(prefix))


def _absent(part: PublishedFile, folder: str, place: Path) -> str:
    if folder == AS_IT_IS:
        return f"{part} is not in '{place}'"
    return f"neither {part} nor the unpacked folder '{folder}' is in '{place}'"


def _by_folder(names: Sequence[str]) -> dict[str, list[str]]:
    """Return the rest of each name by its first folder, in the order of the names."""
    found: dict[str, list[str]] = {}
    for name in names:
        folder, separator, rest = name.partition("/")
        if separator:
            found.setdefault(folder, []).append(rest)
        else:
            found.setdefault(AS_IT_IS, []).append(name)
    return found


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
