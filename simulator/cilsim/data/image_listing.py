"""Which photographs of a published set are of which class, and checks of what a set's files say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cilsim.data.image_source import ImageSource, leads_outside
from cilsim.data.listing import Part
from cilsim.errors import DataError

_SYNSET = re.compile(r"n[0-9]{8}")


@dataclass(frozen=True)
class Counts:
    """Published numbers of classes and images; None where any number will do."""

    classes: int | None
    train: int | None
    test: int | None


@dataclass(frozen=True)
class ImageListing:
    """Names of all images below the data set's folder, with class ids, in the published order."""

    class_names: tuple[str, ...]
    train: Part
    test: Part

    @property
    def files(self) -> tuple[str, ...]:
        """Training images, then test images."""
        return (*self.train.files, *self.test.files)


def part_of(images: Sequence[tuple[str, int]]) -> Part:
    """Return a part made of names and class ids."""
    class_ids = np.fromiter((class_id for _, class_id in images), dtype=np.int64)
    return Part(tuple(name for name, _ in images), class_ids)


def checked(where: str, source: ImageSource, counts: Counts, listing: ImageListing) -> ImageListing:
    """Return the listing if it has the published numbers and names every image once, inside.

    Raises:
        DataError: otherwise.
    """
    seen: set[str] = set()
    for name in listing.files:
        if leads_outside(name) or name in seen:
            wrong = "twice" if name in seen else "which leads outside"
            raise DataError(
                f"{where}: the lists in '{source.path}' name '{name}', {wrong} - expected each "
                "image once, below the data set's folder"
            )
        seen.add(name)
    for found, expected, what in (
        (len(listing.class_names), counts.classes, "classes"),
        (len(listing.train.files), counts.train, "training images"),
        (len(listing.test.files), counts.test, "test images"),
    ):
        if expected is not None and found != expected:
            raise DataError(
                f"{where}: '{source.path}' has {found} {what} - expected {expected}; "
                "fetch and unpack it again"
            )
    return listing


def rows_of(
    where: str, name: str, content: bytes, separator: str, columns: Sequence[str]
) -> list[list[str]]:
    """Return the lines of a text file, split into at least the named columns.

    Args:
        where: what errors begin with.
        name: of the file.
        content: UTF-8; empty lines are left out.
        separator: between columns.
        columns: what they hold, for messages.

    Raises:
        DataError: the file is no text, or a line has too few columns.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: '{name}' is no UTF-8 text - fetch and unpack it again"
        ) from error
    rows = []
    for number, line in enumerate(lines, 1):
        row = line.strip().split(separator) if line.strip() else []
        if row and (len(row) < len(columns) or not all(row[: len(columns)])):
            expected = separator.join(f"<{column}>" for column in columns)
            raise bad_line(where, name, number, line, repr(expected))
        if row:
            rows.append(row)
    return rows


def bad_line(where: str, name: str, number: int, line: str, expected: str) -> DataError:
    """Return the error about a line of a text file."""
    return DataError(f"{where}: '{name}' line {number}: found '{line[:80]}' - expected {expected}")


def require_synsets(where: str, name: str, synsets: Sequence[str]) -> None:
    """Complain about the first text that is no synset id, or is there twice.

    Raises:
        DataError: there is one.
    """
    for position, synset in enumerate(synsets):
        if _SYNSET.fullmatch(synset) is None:
            raise DataError(
                f"{where}: '{name}' has '{synset[:80]}' - expected synset ids such as 'n01440764'"
            )
        if synset in synsets[:position]:
            raise DataError(f"{where}: '{name}' has '{synset}' twice - expected each class once")
