"""What is published of a set of photographs, its options, and the facts that follow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cilsim.data.dataset import DataFacts
from cilsim.data.image_listing import Counts, ImageListing
from cilsim.data.image_source import ArchiveSource, FolderSource, ImageSource
from cilsim.data.places import data_root
from cilsim.errors import DataError
from cilsim.options import Options

Side = Annotated[int, Field(ge=16, le=1024)]


class ImageSetOptions(Options):
    """Options that all published sets of photographs have."""

    root: Path | None = None
    """Folder that holds the archive or the unpacked folder, or the unpacked folder itself; by
    default that of the data set in the data root."""


class VerifiedOptions(ImageSetOptions):
    """Options of sets whose archive has a published checksum."""

    verify: bool = True
    """Compare the archive, where it is not unpacked, with its published checksum before images
    are decoded."""


@dataclass(frozen=True)
class Archive:
    """An archive as published.

    Attributes:
        name: of the file.
        md5: the published checksum, empty if there is none.
        size: in bytes, 0 if not published.
    """

    name: str
    md5: str = ""
    size: int = 0

    def __str__(self) -> str:
        """Return name and what identifies the content."""
        known = [f"{self.size} bytes"] * bool(self.size) + [f"md5 {self.md5}"] * bool(self.md5)
        return f"'{self.name}'" + (f" ({', '.join(known)})" if known else "")


@dataclass(frozen=True)
class ImageSet:
    """What is published of a data set, and how its images are stored.

    Attributes:
        name: as in a scenario.
        page: where it is published.
        folder: what the archive unpacks to, and the folder in it that holds everything.
        archive: None if there is none to read.
        marker: file or folder by which an unpacked folder is known.
        texts: files that are read to list the images.
        counts: numbers of classes and images.
        crop: published test crop as (cropped, stored) sides; None crops nothing.
        stretch: resize to the square instead of cutting out its centre.
        mean: per channel in [0, 1], for normalisation; by default ImageNet's.
        std: likewise.
    """

    name: str
    page: str
    folder: str
    archive: Archive | None
    marker: str
    texts: tuple[str, ...]
    counts: Counts
    crop: tuple[int, int] | None = None
    stretch: bool = False
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    @property
    def where(self) -> str:
        """What errors begin with."""
        return f"data set '{self.name}'"

    def test_crop(self, size: int) -> int | None:
        """Return the side of the test crop of images stored with side `size`."""
        return None if self.crop is None else size * self.crop[0] // self.crop[1]


def find_source(published: ImageSet, options: ImageSetOptions) -> ImageSource:
    """Return the unpacked folder or else the archive.

    Raises:
        DataError: neither is there.
    """
    root = options.root if options.root is not None else data_root() / published.name
    archive = published.archive
    for folder in (root / published.folder, root):
        if (folder / published.marker).exists():
            return FolderSource(published.where, folder)
    if archive is not None and (root / archive.name).is_file():
        return ArchiveSource(
            published.where, root / archive.name, published.folder, published.texts
        )
    if archive is None:
        missing = f"there is no '{published.marker}' in '{root}'"
    else:
        missing = f"neither {archive} nor the unpacked folder '{published.folder}' is in '{root}'"
    raise DataError(
        f"{published.where}: {missing} - fetch it from {published.page} into that folder; "
        "the data set 'glyphs100' needs no download"
    )


def facts_of(published: ImageSet, listing: ImageListing, size: int) -> DataFacts:
    """Return what a listing says of images stored with side `size`, without opening an image."""
    side = published.test_crop(size) or size
    return DataFacts(
        class_ids=tuple(range(len(listing.class_names))),
        class_names=listing.class_names,
        y_train=listing.train.class_ids,
        y_test=listing.test.class_ids,
        sample_shape=(3, side, side),
    )
