"""Which images of ImageNet are of which class."""

from __future__ import annotations

from collections.abc import Sequence

from cilsim.data.folder_listing import SUFFIXES
from cilsim.data.image_listing import ImageListing, checked, part_of
from cilsim.data.image_set import ImageSet
from cilsim.data.image_source import ImageSource
from cilsim.errors import DataError


def list_synsets(published: ImageSet, source: ImageSource, synsets: Sequence[str]) -> ImageListing:
    """Return the images of the given classes, class after class, sorted by name.

    Raises:
        DataError: a class has no images, or the numbers are not the published ones.
    """
    train, test = (
        part_of(
            [
                (f"{part}/{synset}/{file}", number)
                for number, synset in enumerate(synsets)
                for file in _images(published.where, source, f"{part}/{synset}")
            ]
        )
        for part in ("train", "val")
    )
    listing = ImageListing(tuple(synsets), train, test)
    return checked(published.where, source, published.counts, listing)


def _images(where: str, source: ImageSource, folder: str) -> list[str]:
    files = [file for file in source.names_in(folder) if file.casefold().endswith(SUFFIXES)]
    if not files:
        raise DataError(
            f"{where}: '{source.path}' has no images in '{folder}' - expected the "
            "folder of one of the chosen 'classes'"
        )
    return files
