"""What is published of a set of photographs, its options, and the facts that follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cilsim.data.archive_source import ArchiveSource
from cilsim.data.dataset import DataFacts
from cilsim.data.image_listing import Counts, ImageListing
from cilsim.data.image_source import FolderSource, ImageSource
from cilsim.data.publication import Publication, PublishedFile
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


class CroppedOptions(VerifiedOptions):
    """Options of sets of which testing cuts out the centre."""

    size: Side = 256
    """Side in pixels of the stored images: the shorter side is resized to it, the centre is kept.
    Testing cuts out the centre 224 of 256, or as much of another size."""


@dataclass(frozen=True)
class ImageSet:
    """What is published of a data set, and how its images are stored.

    Attributes:
        name: as in a scenario.
        page: where it is published.
        licence: in a few words.
        folder: what the archive unpacks to, and the folder in it that holds everything.
        archive: None if the set has parts.
        marker: file or folder by which an unpacked folder is known; empty with parts.
        texts: files that are read to list the images.
        counts: numbers of classes and images.
        crop: published test crop as (cropped, stored) sides; None crops nothing.
        stretch: resize to the square instead of cutting out its centre.
        mean: per channel in [0, 1], for normalisation; by default ImageNet's.
        std: likewise.
        parts: files of a set that is published as several, each with the folder that it unpacks to;
            one without is read as it is.
        by_hand: what to know for getting it by hand; given if it cannot be fetched.
    """

    name: str
    page: str
    licence: str
    folder: str
    archive: PublishedFile | None
    marker: str
    texts: tuple[str, ...]
    counts: Counts
    crop: tuple[int, int] | None = None
    stretch: bool = False
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    parts: tuple[PublishedFile, ...] = ()
    by_hand: str = ""

    @property
    def where(self) -> str:
        """What errors begin with."""
        return f"data set '{self.name}'"

    @property
    def publication(self) -> Publication:
        """What is published, for listing, fetching and verifying."""
        places = [f"{folder}/" if folder else "" for folder in dict.fromkeys((self.folder, ""))]
        files = () if self.archive is None else (replace(self.archive, unpacked=(self.marker,)),)
        counts = self.counts
        return Publication(
            self.name,
            self.page,
            self.licence,
            counts.classes,
            counts.train,
            counts.test,
            tuple(
                replace(
                    file, unpacked=tuple(place + at for place in places for at in file.unpacked)
                )
                for file in (*files, *self.parts)
            ),
            by_hand=self.by_hand,
        )

    def test_crop(self, size: int) -> int | None:
        """Return the side of the test crop of images stored with side `size`."""
        return None if self.crop is None else size * self.crop[0] // self.crop[1]


def find_source(published: ImageSet, options: ImageSetOptions) -> ImageSource:
    """Return the unpacked folder or else the archive.

    Raises:
        DataError: neither is there.
    """
    publication = published.publication
    root = publication.root(options.root)
    archive = published.archive
    assert archive is not None, "a set of several parts has a source of its own"
    for folder in (root / published.folder, root):
        if (folder / published.marker).exists():
            return FolderSource(published.where, folder)
    if (root / archive.name).is_file():
        return ArchiveSource(
            published.where, root / archive.name, published.folder, published.texts
        )
    raise publication.missing(
        f"neither {archive} nor the unpacked folder '{published.folder}' is in '{root}'",
        options.root,
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
        stored_shape=(3, size, size),
    )
