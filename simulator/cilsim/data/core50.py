"""`core50` (Lomonaco and Maltoni 2017): 50 objects, filmed in 11 sessions, as 128 x 128 pixels.

As in the New Instances scenario of its authors, sessions 3, 7 and 10 are for testing and the other
eight for training. Each session is a domain, so streams can be made of sessions or of classes.
Class ids are the published object numbers, 1 to 50, minus 1; images are in order of session,
object and name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.folder_listing import SUFFIXES
from cilsim.data.image_listing import Counts, ImageListing, checked, part_of
from cilsim.data.image_set import ImageSet, Side, VerifiedOptions, facts_of, find_source
from cilsim.data.image_source import ImageSource
from cilsim.data.image_squares import load_squares
from cilsim.data.publication import PublishedFile
from cilsim.records import IntArray

PUBLISHED = ImageSet(
    name="core50",
    page="https://vlomonaco.github.io/core50/",
    licence="CC BY 4.0",
    folder="core50_128x128",
    archive=PublishedFile(
        "core50_128x128.zip",
        "745f3373fed08d69343f1058ee559e13",
        addresses=("http://bias.csr.unibo.it/maltoni/download/core50/core50_128x128.zip",),
    ),
    marker="s1",
    texts=(),
    counts=Counts(classes=None, train=119_894, test=44_972),
)
PUBLICATION = replace(PUBLISHED.publication, classes=50)
SESSIONS = range(1, 12)
TEST_SESSIONS = (3, 7, 10)
OBJECTS_PER_CATEGORY = 5
CATEGORIES = (
    "plug adapter",
    "mobile phone",
    "scissors",
    "light bulb",
    "can",
    "glass",
    "ball",
    "marker",
    "cup",
    "remote control",
)


class Core50Options(VerifiedOptions):
    """Options of CORe50."""

    classes: Literal["objects", "categories"] = "objects"
    """Whether the 50 objects are classes, or the 10 categories of five objects each."""
    size: Side = 128
    """Side in pixels of the stored images; 128 keeps them as they are."""


def facts_core50(options: Core50Options, published: ImageSet = PUBLISHED) -> DataFacts:
    """Return the facts of CORe50; the files must be there."""
    listing = _listing(published, find_source(published, options), options)
    return _with_domains(facts_of(published, listing, options.size), listing)


def load_core50(options: Core50Options, published: ImageSet = PUBLISHED) -> DataSet:
    """Return CORe50: 119 894 images of eight sessions, and 44 972 of three others for testing."""
    source = find_source(published, options)
    listing = _listing(published, source, options)
    dataset = load_squares(published, source, listing, options.size, verify=options.verify)
    return replace(dataset, facts=_with_domains(dataset.facts, listing))


def _listing(published: ImageSet, source: ImageSource, options: Core50Options) -> ImageListing:
    objects = [
        f"{category} {number}"
        for category in CATEGORIES
        for number in range(1, OBJECTS_PER_CATEGORY + 1)
    ]
    by_category = options.classes == "categories"
    train: list[tuple[str, int]] = []
    test: list[tuple[str, int]] = []
    for session in SESSIONS:
        part = test if session in TEST_SESSIONS else train
        for number in range(len(objects)):
            folder = f"s{session}/o{number + 1}"
            class_id = number // OBJECTS_PER_CATEGORY if by_category else number
            files = source.names_in(folder)
            part += [(f"{folder}/{f}", class_id) for f in files if f.casefold().endswith(SUFFIXES)]
    names = CATEGORIES if by_category else tuple(objects)
    listing = ImageListing(names, part_of(train), part_of(test))
    return checked(published.where, source, published.counts, listing)


def _with_domains(facts: DataFacts, listing: ImageListing) -> DataFacts:
    return replace(
        facts,
        domain_train=_sessions(listing.train.files),
        domain_test=_sessions(listing.test.files),
        domain_names=tuple(f"s{session}" for session in SESSIONS),
    )


def _sessions(files: tuple[str, ...]) -> IntArray:
    """Return the position of each image's session, from names such as `s3/o1/C_03_01_000.png`."""
    numbers = [int(name.partition("/")[0].removeprefix("s")) for name in files]
    return np.array(numbers, dtype=np.int64) - SESSIONS[0]
