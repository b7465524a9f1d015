"""`aircraft`, FGVC-Aircraft (Maji et al. 2013): variants, families or manufacturers of aircraft.

The published parts `trainval` and `test` are for training and testing, in the order of their
lists. Class ids are positions in the published list of names. The strip of 20 pixels at the foot
of each photograph, which names its photographer, is kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.image_listing import Counts, ImageListing, checked, part_of, rows_of
from cilsim.data.image_set import CroppedOptions, ImageSet, facts_of, find_source
from cilsim.data.image_source import ImageSource
from cilsim.data.image_squares import load_squares
from cilsim.data.publication import PublishedFile
from cilsim.errors import DataError

Level = Literal["variant", "family", "manufacturer"]
CLASS_LISTS: dict[Level, str] = {
    "variant": "variants.txt",
    "family": "families.txt",
    "manufacturer": "manufacturers.txt",
}
CLASSES: dict[Level, int] = {"variant": 100, "family": 70, "manufacturer": 30}
PARTS = ("trainval", "test")
_PLACE = "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft"

PUBLISHED = ImageSet(
    name="aircraft",
    page=f"{_PLACE}/",
    licence="non-commercial research",
    folder="fgvc-aircraft-2013b/data",
    archive=PublishedFile(
        "fgvc-aircraft-2013b.tar.gz",
        "d4acdd33327262359767eeaa97a4f732",
        2_753_340_328,
        (f"{_PLACE}/archives/fgvc-aircraft-2013b.tar.gz",),
    ),
    marker="variants.txt",
    texts=(
        *CLASS_LISTS.values(),
        *(f"images_{level}_{part}.txt" for level in CLASS_LISTS for part in PARTS),
    ),
    counts=Counts(classes=100, train=6_667, test=3_333),
    crop=(224, 256),
)
PUBLICATION = PUBLISHED.publication


class AircraftOptions(CroppedOptions):
    """Options of FGVC-Aircraft."""

    classes: Level = "variant"
    """Whether classes are the 100 variants (Boeing 737-700), the 70 families (Boeing 737) or the 30
    manufacturers (Boeing)."""


def facts_aircraft(options: AircraftOptions, published: ImageSet = PUBLISHED) -> DataFacts:
    """Return the facts of FGVC-Aircraft; the files must be there."""
    source = find_source(published, options)
    return facts_of(published, _listing(published, source, options.classes), options.size)


def load_aircraft(options: AircraftOptions, published: ImageSet = PUBLISHED) -> DataSet:
    """Return FGVC-Aircraft: 6 667 and 3 333 images, in the order of the lists."""
    source = find_source(published, options)
    listing = _listing(published, source, options.classes)
    return load_squares(published, source, listing, options.size, verify=options.verify)


def _listing(published: ImageSet, source: ImageSource, level: Level) -> ImageListing:
    where, class_list = published.where, CLASS_LISTS[level]
    lists = [f"images_{level}_{part}.txt" for part in PARTS]
    texts = source.read([class_list, *lists])
    names = [row[0] for row in rows_of(where, class_list, texts[class_list], "\n", ("class",))]
    class_id = {name: number for number, name in enumerate(names)}
    if len(class_id) != len(names):
        raise DataError(f"{where}: '{class_list}' has a class twice - expected each class once")
    train, test = (part_of(_images(where, name, texts[name], class_id)) for name in lists)
    counts = replace(published.counts, classes=_classes(published, level))
    return checked(where, source, counts, ImageListing(tuple(names), train, test))


def _classes(published: ImageSet, level: Level) -> int | None:
    return published.counts.classes and CLASSES[level]


def _images(
    where: str, name: str, content: bytes, class_id: dict[str, int]
) -> list[tuple[str, int]]:
    """Return images and class ids from lines `<image> <class, which may have blanks>`."""
    found = []
    for image, *words in rows_of(where, name, content, " ", ("image", "class")):
        label = " ".join(words)
        if label not in class_id:
            raise DataError(
                f"{where}: '{name}' has the class '{label[:80]}' - expected one of the list of "
                "classes; fetch and unpack it again"
            )
        found.append((f"images/{image}.jpg", class_id[label]))
    return found
