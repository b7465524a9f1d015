"""`cub200`, the birds of Wah et al. 2011 (CUB-200-2011), with their published split.

Images are in ascending order of their published numbers, to which the few-shot index lists of
TOPIC, CEC, FACT and TEEN refer. Class ids are the published ones, 1 to 200, minus 1.
"""

from __future__ import annotations

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.image_listing import (
    Counts,
    ImageListing,
    checked,
    part_of,
    rows_of,
)
from cilsim.data.image_set import CroppedOptions, ImageSet, facts_of, find_source
from cilsim.data.image_source import ImageSource
from cilsim.data.image_squares import load_squares
from cilsim.data.publication import PublishedFile
from cilsim.errors import DataError

PUBLISHED = ImageSet(
    name="cub200",
    page="https://www.vision.caltech.edu/datasets/cub_200_2011/",
    licence="non-commercial research and education",
    folder="CUB_200_2011",
    archive=PublishedFile(
        "CUB_200_2011.tgz",
        "97eceeb196236b17998738112f37df78",
        1_150_585_339,
        ("https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",),
    ),
    marker="images.txt",
    texts=("images.txt", "image_class_labels.txt", "train_test_split.txt"),
    counts=Counts(classes=200, train=5_994, test=5_794),
    crop=(224, 256),
)
PUBLICATION = PUBLISHED.publication


class Cub200Options(CroppedOptions):
    """Options of CUB-200-2011."""


def facts_cub200(options: Cub200Options, published: ImageSet = PUBLISHED) -> DataFacts:
    """Return the facts of CUB-200-2011; the files must be there."""
    source = find_source(published, options)
    return facts_of(published, _listing(published, source), options.size)


def load_cub200(options: Cub200Options, published: ImageSet = PUBLISHED) -> DataSet:
    """Return CUB-200-2011: 200 classes, 5 994 and 5 794 images, in order of their numbers."""
    source = find_source(published, options)
    listing = _listing(published, source)
    return load_squares(published, source, listing, options.size, verify=options.verify)


def _listing(published: ImageSet, source: ImageSource) -> ImageListing:
    where, texts = published.where, source.read(published.texts)
    names, labels, split = (_by_number(where, name, content) for name, content in texts.items())
    for name, column in zip(published.texts[1:], (labels, split), strict=True):
        differing = sorted(names.keys() ^ column.keys())
        if differing:
            raise DataError(
                f"{where}: '{published.texts[0]}' and '{name}' differ in image {differing[0]} - "
                "expected the same images in both; fetch and unpack it again"
            )
    class_ids = {number: _whole(where, published.texts[1], labels[number]) - 1 for number in names}
    folders = {class_ids[number]: names[number].partition("/")[0] for number in sorted(names)}
    if sorted(folders) != list(range(len(folders))):
        raise DataError(
            f"{where}: '{published.texts[1]}' has classes that are not numbered from 1 to "
            f"{len(folders)} - fetch and unpack it again"
        )
    train, test = (
        part_of([(f"images/{names[n]}", class_ids[n]) for n in sorted(names) if split[n] == flag])
        for flag in ("1", "0")
    )
    listing = ImageListing(tuple(_readable(folders[k]) for k in sorted(folders)), train, test)
    return checked(where, source, published.counts, listing)


def _by_number(where: str, name: str, content: bytes) -> dict[int, str]:
    """Return what a file of lines `<image number> <value>` says, by the number."""
    rows = rows_of(where, name, content, " ", ("image number", "value"))
    return {_whole(where, name, row[0]): row[1] for row in rows}


def _whole(where: str, name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise DataError(f"{where}: '{name}' has '{text[:80]}' - expected a whole number from 1")
    return int(text)


def _readable(folder: str) -> str:
    """Return `Black footed Albatross` for `001.Black_footed_Albatross`."""
    return folder.partition(".")[2].replace("_", " ") or folder
