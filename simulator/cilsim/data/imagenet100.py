"""`imagenet100`: 100 classes of ImageNet (ILSVRC 2012), the published validation part for testing.

Read from folders `train/<synset id>/` and `val/<synset id>/`, of all 1000 classes or of the chosen
ones, or from the published archives. Class ids are positions among the chosen synset ids in
ascending order; images of a class are sorted by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.image_listing import Counts, ImageListing, require_synsets, rows_of
from cilsim.data.image_set import ImageSetOptions, Side, facts_of
from cilsim.data.image_source import ImageSource
from cilsim.data.image_squares import load_squares
from cilsim.data.imagenet100_published import FIRST_100_OF_1993_ORDER, GCD
from cilsim.data.imagenet_listing import list_synsets
from cilsim.data.imagenet_published import PUBLISHED as IMAGENET
from cilsim.data.imagenet_published import find_imagenet
from cilsim.errors import DataError
from cilsim.options import Options

TEST_PER_CLASS = 50
PUBLISHED = replace(
    IMAGENET, name="imagenet100", counts=Counts(classes=None, train=None, test=None)
)
PUBLICATION = replace(PUBLISHED.publication, classes=100, test=100 * TEST_PER_CLASS)


class ClassFile(Options):
    """Other classes than the published lists."""

    file: Path
    """Text file with one synset id per line, `#` begins a comment."""


class ImageNet100Options(ImageSetOptions):
    """Options of ImageNet-100."""

    classes: Literal["gcd", "first_100_of_1993_order"] | ClassFile = "gcd"
    """Which classes: those of papers on category discovery (gcd), the ImageNet-Subset of papers on
    class-incremental learning (first_100_of_1993_order), or your own ({file: classes.txt})."""
    size: Side = 256
    """Side in pixels of the stored images: the shorter side is resized to it, the centre is kept.
    Testing cuts out the centre 224 of 256, or as much of another size."""


def facts_imagenet100(
    options: ImageNet100Options, test_per_class: int = TEST_PER_CLASS
) -> DataFacts:
    """Return the facts of ImageNet-100; the folders or archives must be there."""
    source = find_imagenet(PUBLISHED, options)
    return facts_of(PUBLISHED, _listing(source, options, test_per_class), options.size)


def load_imagenet100(options: ImageNet100Options, test_per_class: int = TEST_PER_CLASS) -> DataSet:
    """Return ImageNet-100: 100 classes, about 127 000 training and 5 000 validation images."""
    source = find_imagenet(PUBLISHED, options)
    listing = _listing(source, options, test_per_class)
    return load_squares(PUBLISHED, source, listing, options.size)


def _listing(source: ImageSource, options: ImageNet100Options, test_per_class: int) -> ImageListing:
    synsets = _synsets(options)
    counts = replace(PUBLISHED.counts, test=test_per_class * len(synsets))
    return list_synsets(replace(PUBLISHED, counts=counts), source, synsets)


def _synsets(options: ImageNet100Options) -> Sequence[str]:
    if not isinstance(options.classes, ClassFile):
        return GCD if options.classes == "gcd" else FIRST_100_OF_1993_ORDER
    path = options.classes.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{PUBLISHED.where}: the classes '{path}' cannot be read: {error.strerror or error} - "
            "expected a text file with one synset id per line"
        ) from error
    lines = rows_of(PUBLISHED.where, str(path), content, "#", ())
    synsets = sorted(filter(None, (line[0].strip() for line in lines)))
    require_synsets(PUBLISHED.where, str(path), synsets)
    return synsets
