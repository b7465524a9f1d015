"""`omniglot` (Lake et al. 2015): handwritten characters of 50 alphabets, 20 drawings of each.

There is no published split into training and test drawings: here the first 15 of the 20 drawers of
a character are for training and the others for testing, as many as `test_drawers` says. Class ids
are positions in the order of part, alphabet and character.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.image_listing import Counts, ImageListing, checked, part_of
from cilsim.data.image_set import ImageSet, Side, VerifiedOptions, facts_of
from cilsim.data.image_source import ImageSource
from cilsim.data.image_squares import load_squares
from cilsim.data.joined_source import find_parts
from cilsim.data.moments import channel_moments
from cilsim.data.publication import PublishedFile
from cilsim.errors import DataError

_PLACE = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python"
_CHECKSUMS = {
    "images_background": "68d2efa1b9178cc56df9314c21c6e718",
    "images_evaluation": "6b91aef0f799c5bb55b94e3f2daec811",
}
DRAWERS = 20
CHARACTERS = {"background": 964, "evaluation": 659, "all": 1623}
_DRAWING = re.compile(r"\d+_(\d{2})\.png")

PUBLISHED = ImageSet(
    name="omniglot",
    page="https://github.com/brendenlake/omniglot",
    licence="MIT",
    folder="omniglot-py",
    archive=None,
    marker="",
    texts=(),
    counts=Counts(classes=1623, train=24_345, test=8_115),
    parts=tuple(
        PublishedFile(f"{name}.zip", md5, 0, (f"{_PLACE}/{name}.zip",), (name,))
        for name, md5 in _CHECKSUMS.items()
    ),
)
PUBLICATION = PUBLISHED.publication


class OmniglotOptions(VerifiedOptions):
    """Options of Omniglot."""

    part: Literal["background", "evaluation", "all"] = "all"
    """Which characters: the 964 of the 30 background alphabets, the 659 of the 20 evaluation
    alphabets, or all 1623."""
    test_drawers: Annotated[int, Field(ge=1, le=DRAWERS - 1)] = 5
    """How many of the 20 drawings of a character are for testing, counted from the last drawer."""
    size: Side = 28
    """Side in pixels of the stored images; published are 105."""


def facts_omniglot(
    options: OmniglotOptions,
    published: ImageSet = PUBLISHED,
    characters: Mapping[str, int] = CHARACTERS,
) -> DataFacts:
    """Return the facts of Omniglot; the files must be there."""
    source = find_parts(published, options)
    return facts_of(published, _listing(source, options, characters), options.size)


def load_omniglot(
    options: OmniglotOptions,
    published: ImageSet = PUBLISHED,
    characters: Mapping[str, int] = CHARACTERS,
) -> DataSet:
    """Return Omniglot, dark strokes on white in three equal channels, character after character."""
    source = find_parts(published, options)
    listing = _listing(source, options, characters)
    found = load_squares(published, source, listing, options.size, verify=options.verify)
    mean, std = channel_moments(np.asarray(found.x_train, dtype=np.uint8))
    return replace(found, mean=mean, std=std)


def _listing(
    source: ImageSource, options: OmniglotOptions, characters: Mapping[str, int]
) -> ImageListing:
    names: list[str] = []
    train: list[tuple[str, int]] = []
    test: list[tuple[str, int]] = []
    for place in _characters(source, options.part):
        for file, drawer in _drawings(source, place):
            part = train if drawer <= DRAWERS - options.test_drawers else test
            part.append((file, len(names)))
        names.append(place.partition("/")[2].replace("/", " ").replace("_", " "))
    listing = ImageListing(tuple(names), part_of(train), part_of(test))
    classes, tests = characters[options.part], options.test_drawers
    counts = Counts(classes, classes * (DRAWERS - tests), classes * tests)
    return checked(PUBLISHED.where, source, counts, listing)


def _characters(source: ImageSource, part: str) -> list[str]:
    """Return the folders of all characters."""
    parts = [name for name in _CHECKSUMS if part in ("all", name.removeprefix("images_"))]
    return [
        f"{name}/{alphabet}/{character}"
        for name in parts
        for alphabet in source.folders_in(name)
        for character in source.folders_in(f"{name}/{alphabet}")
    ]


def _drawings(source: ImageSource, place: str) -> list[tuple[str, int]]:
    """Return the drawings of a character with the number of the drawer, from 1."""
    found = []
    for file in source.names_in(place):
        match = _DRAWING.fullmatch(file)
        if match is None or not 1 <= int(match[1]) <= DRAWERS:
            raise DataError(
                f"{PUBLISHED.where}: '{source.path}' has '{place}/{file}' - expected drawings such "
                "as '0001_01.png' to '0001_20.png'; fetch and unpack it again"
            )
        found.append((f"{place}/{file}", int(match[1])))
    return found
