"""`stanford_cars` (Krause et al. 2013): 196 models of cars, with the published split.

Read from the archives of its authors, which are no longer at their old address, or from what they
unpack to, which is the layout of torchvision. Class ids are the published ones, 1 to 196, minus 1;
images are in the order of the published annotations.
"""

from __future__ import annotations

from typing import Any

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.image_listing import Counts, ImageListing, checked, part_of
from cilsim.data.image_set import CroppedOptions, ImageSet, facts_of
from cilsim.data.image_source import ImageSource
from cilsim.data.image_squares import load_squares
from cilsim.data.joined_source import find_parts
from cilsim.data.mat_file import column, read_variables, single
from cilsim.data.publication import PublishedFile
from cilsim.errors import DataError

NAMES = "devkit/cars_meta.mat"
TRAIN = "devkit/cars_train_annos.mat"
TEST = "cars_test_annos_withlabels.mat"

PUBLISHED = ImageSet(
    name="stanford_cars",
    page="https://ai.stanford.edu/~jkrause/cars/car_dataset.html",
    licence="see the source",
    folder="stanford_cars",
    archive=None,
    marker="",
    texts=(NAMES, TRAIN, TEST),
    counts=Counts(classes=196, train=8_144, test=8_041),
    crop=(224, 256),
    parts=(
        PublishedFile(
            "cars_train.tgz", "065e5b463ae28d29e77c1b4b166cfe61", unpacked=("cars_train",)
        ),
        PublishedFile("cars_test.tgz", "4ce7ebf6a94d07f1952d94dd34c4d501", unpacked=("cars_test",)),
        PublishedFile("car_devkit.tgz", "c3b158d763b6e2245038c8ad08e45376", unpacked=("devkit",)),
        PublishedFile(TEST, "b0a2b23655a3edd16d84508592a98d10"),
    ),
    by_hand="no longer there: find a copy of these files",
)
PUBLICATION = PUBLISHED.publication


class StanfordCarsOptions(CroppedOptions):
    """Options of Stanford Cars."""


def facts_stanford_cars(options: StanfordCarsOptions, published: ImageSet = PUBLISHED) -> DataFacts:
    """Return the facts of Stanford Cars; the files must be there."""
    source = find_parts(published, options)
    return facts_of(published, _listing(published, source), options.size)


def load_stanford_cars(options: StanfordCarsOptions, published: ImageSet = PUBLISHED) -> DataSet:
    """Return Stanford Cars: 196 classes, 8 144 and 8 041 images."""
    source = find_parts(published, options)
    listing = _listing(published, source)
    return load_squares(published, source, listing, options.size, verify=options.verify)


def _listing(published: ImageSet, source: ImageSource) -> ImageListing:
    where, texts = published.where, source.read(published.texts)
    stored = read_variables(where, NAMES, texts[NAMES], ["class_names"])["class_names"]
    names = tuple(str(single(where, NAMES, name)) for name in stored.reshape(-1))
    train, test = (
        part_of(_images(where, name, texts[name], folder, len(names)))
        for name, folder in ((TRAIN, "cars_train"), (TEST, "cars_test"))
    )
    return checked(where, source, published.counts, ImageListing(names, train, test))


def _images(
    where: str, name: str, content: bytes, folder: str, classes: int
) -> list[tuple[str, int]]:
    """Return images and class ids as annotated."""
    annotations = read_variables(where, name, content, ["annotations"])["annotations"]
    files = column(where, name, annotations, "fname")
    labels = column(where, name, annotations, "class")
    return [
        (f"{folder}/{file}", _class_id(where, name, label, classes))
        for file, label in zip(files, labels, strict=True)
    ]


def _class_id(where: str, name: str, label: Any, classes: int) -> int:
    if not isinstance(label, int) or not 1 <= label <= classes:
        raise DataError(
            f"{where}: '{name}' has the class '{str(label)[:80]}' - expected whole numbers from 1 "
            f"to {classes}; fetch and unpack it again"
        )
    return label - 1
