"""`tiny_imagenet` of Stanford's CS231n: 200 classes, 64 x 64 pixels.

As PASS and FeTrIL use it: the published validation part is for testing, class ids are positions
among the sorted synset ids, and the training images of a class are sorted by name. Normalisation
is that of FeTrIL, the statistics of the set itself; PASS takes ImageNet's.
"""

from __future__ import annotations

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.folder_listing import SUFFIXES
from cilsim.data.image_listing import (
    Counts,
    ImageListing,
    checked,
    part_of,
    require_synsets,
    rows_of,
)
from cilsim.data.image_set import ImageSet, Side, VerifiedOptions, facts_of, find_source
from cilsim.data.image_source import ImageSource
from cilsim.data.image_squares import load_squares
from cilsim.data.publication import PublishedFile
from cilsim.errors import DataError

PUBLISHED = ImageSet(
    name="tiny_imagenet",
    page="http://cs231n.stanford.edu/tiny-imagenet-200.zip",
    licence="terms of ImageNet: non-commercial research and education",
    folder="tiny-imagenet-200",
    archive=PublishedFile(
        "tiny-imagenet-200.zip",
        "90528d7ca1a48142e341f4ef8d21d0de",
        248_100_043,
        ("http://cs231n.stanford.edu/tiny-imagenet-200.zip",),
    ),
    marker="wnids.txt",
    texts=("wnids.txt", "val/val_annotations.txt"),
    counts=Counts(classes=200, train=100_000, test=10_000),
    mean=(0.4802, 0.4481, 0.3975),
    std=(0.2302, 0.2265, 0.2262),
)
PUBLICATION = PUBLISHED.publication


class TinyImageNetOptions(VerifiedOptions):
    """Options of TinyImageNet."""

    size: Side = 64
    """Side in pixels of the stored images; 64 keeps them as they are."""


def facts_tiny_imagenet(options: TinyImageNetOptions, published: ImageSet = PUBLISHED) -> DataFacts:
    """Return the facts of TinyImageNet; the files must be there."""
    source = find_source(published, options)
    return facts_of(published, _listing(published, source), options.size)


def load_tiny_imagenet(options: TinyImageNetOptions, published: ImageSet = PUBLISHED) -> DataSet:
    """Return TinyImageNet: 200 classes, 100 000 training and 10 000 validation images."""
    source = find_source(published, options)
    listing = _listing(published, source)
    return load_squares(published, source, listing, options.size, verify=options.verify)


def _listing(published: ImageSet, source: ImageSource) -> ImageListing:
    where, (classes, annotations) = published.where, published.texts
    texts = source.read(published.texts)
    synsets = sorted(row[0] for row in rows_of(where, classes, texts[classes], "\t", ("class",)))
    require_synsets(where, classes, synsets)
    class_id = {synset: number for number, synset in enumerate(synsets)}
    train = [
        (f"train/{synset}/images/{file}", class_id[synset])
        for synset in synsets
        for file in source.names_in(f"train/{synset}/images")
        if file.casefold().endswith(SUFFIXES)
    ]
    test = []
    for file, synset, *_ in rows_of(
        where, annotations, texts[annotations], "\t", ("image", "class")
    ):
        if synset not in class_id:
            raise DataError(
                f"{where}: '{annotations}' has the class '{synset[:80]}' - "
                f"expected only those of '{classes}'"
            )
        test.append((f"val/images/{file}", class_id[synset]))
    listing = ImageListing(tuple(synsets), part_of(train), part_of(test))
    return checked(where, source, published.counts, listing)
