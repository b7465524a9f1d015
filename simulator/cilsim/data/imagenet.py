"""`imagenet`: the 1000 classes of ILSVRC 2012, the published validation part for testing.

Class ids are positions among the synset ids in ascending order; images of a class are sorted by
name.
"""

from __future__ import annotations

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.image_set import ImageSet, Side, VerifiedOptions, facts_of
from cilsim.data.image_squares import load_squares
from cilsim.data.imagenet_listing import list_synsets
from cilsim.data.imagenet_published import PUBLISHED, find_imagenet

PUBLICATION = PUBLISHED.publication


class ImageNetOptions(VerifiedOptions):
    """Options of ImageNet."""

    size: Side = 256
    """Side in pixels of the stored images: the shorter side is resized to it, the centre is kept.
    Testing cuts out the centre 224 of 256, or as much of another size. The cache takes 3 x size x
    size bytes of each image: 262 GB in 256, 16 GB in 64."""


def facts_imagenet(options: ImageNetOptions, published: ImageSet = PUBLISHED) -> DataFacts:
    """Return the facts of ImageNet; the folders or archives must be there."""
    source = find_imagenet(published, options)
    synsets = source.folders_in("train")
    return facts_of(published, list_synsets(published, source, synsets), options.size)


def load_imagenet(options: ImageNetOptions, published: ImageSet = PUBLISHED) -> DataSet:
    """Return ImageNet: 1000 classes, 1 281 167 training and 50 000 validation images."""
    source = find_imagenet(published, options)
    listing = list_synsets(published, source, source.folders_in("train"))
    return load_squares(published, source, listing, options.size, verify=options.verify)
