"""`mini_imagenet` as few-shot class-incremental papers use it (Tao et al. 2020, TOPIC).

Not the split of few-shot learning: each of the 100 classes has 500 training and 100 test images,
named by `split/train.csv` and `split/test.csv`, whose order the published index lists refer to.
Class ids are positions among the synset ids in ascending order, the order of the files.
"""

from __future__ import annotations

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.image_listing import (
    Counts,
    ImageListing,
    checked,
    part_of,
    require_synsets,
    rows_of,
)
from cilsim.data.image_set import ImageSet, ImageSetOptions, Side, facts_of, find_source
from cilsim.data.image_source import ImageSource
from cilsim.data.image_squares import load_squares
from cilsim.data.publication import PublishedFile
from cilsim.errors import DataError

PUBLISHED = ImageSet(
    name="mini_imagenet",
    page="https://github.com/icoz69/CEC-CVPR2021",
    licence="terms of ImageNet: non-commercial research and education",
    folder="miniimagenet",
    archive=PublishedFile("miniimagenet.tar"),
    marker="split/train.csv",
    texts=("split/train.csv", "split/test.csv"),
    counts=Counts(classes=100, train=50_000, test=10_000),
    crop=(84, 92),
    stretch=True,
    by_hand="section 'Datasets'",
)
PUBLICATION = PUBLISHED.publication


class MiniImageNetOptions(ImageSetOptions):
    """Options of miniImageNet."""

    size: Side = 92
    """Side in pixels of the stored images, both resized to it; testing cuts out the centre 84 of
    92, or as much of another size."""


def facts_mini_imagenet(options: MiniImageNetOptions, published: ImageSet = PUBLISHED) -> DataFacts:
    """Return the facts of miniImageNet; the files must be there."""
    source = find_source(published, options)
    return facts_of(published, _listing(published, source), options.size)


def load_mini_imagenet(options: MiniImageNetOptions, published: ImageSet = PUBLISHED) -> DataSet:
    """Return miniImageNet: 100 classes, 50 000 and 10 000 images, in the order of its lists."""
    source = find_source(published, options)
    return load_squares(published, source, _listing(published, source), options.size)


def _listing(published: ImageSet, source: ImageSource) -> ImageListing:
    where = published.where
    train, test = (
        rows_of(where, name, content, ",", ("image", "synset id"))[1:]
        for name, content in source.read(published.texts).items()
    )
    synsets = sorted({row[1] for row in train})
    require_synsets(where, published.texts[0], synsets)
    unknown = sorted({row[1] for row in test} - set(synsets))
    if unknown:
        raise DataError(
            f"{where}: '{published.texts[1]}' has the class '{unknown[0]}' - "
            f"expected only those of '{published.texts[0]}'"
        )
    class_id = {synset: number for number, synset in enumerate(synsets)}
    parts = (
        part_of([(f"images/{row[0]}", class_id[row[1]]) for row in rows]) for rows in (train, test)
    )
    return checked(where, source, published.counts, ImageListing(tuple(synsets), *parts))
