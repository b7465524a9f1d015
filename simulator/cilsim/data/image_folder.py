"""`image_folder`: any folder of images, one folder per class, or as a CSV file lists them.

Images are decoded once and kept in the cache; a changed, added or removed file makes it anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cilsim.data.array_cache import Arrays
from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.digest import dataset_digest
from cilsim.data.folder_listing import list_images
from cilsim.data.image_folder_cache import (
    bad_images,
    decoded,
    foreign_images,
    skipped_images,
    warn_once,
)
from cilsim.data.listed_images import is_list, listed_images
from cilsim.data.listing import Listing
from cilsim.errors import DataError
from cilsim.options import Options
from cilsim.records import IntArray


class ImageFolderOptions(Options):
    """Options of a folder of images."""

    path: Path
    """Folder with <class>/<image>, or with train/<class>/<image> and test/<class>/<image>; or a CSV
    file with the columns path and label and, if wanted, split (train or test) and order (a whole
    number: which experience an image arrives in)."""
    images: Path | None = None
    """Folder that the paths in a CSV file are relative to; by default the file's own."""
    image_size: Annotated[int, Field(ge=8, le=1024)] = 32
    """Side in pixels; the shorter side is resized to it and the centre is cut out."""
    test_fraction: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.2
    """Part of each class that is for testing, where neither folders train and test nor a column
    split say it."""
    on_bad_image: Literal["refuse", "skip"] = "refuse"
    """What to do about files that are no BMP, JPEG, PNG or WebP image, are broken, have more than 8
    bits per channel, more than 89 million pixels or a side above 32,768 of them: refuse the folder,
    or skip them with a warning and list them in the run's manifest. To know how many images remain,
    `skip` decodes the folder when a scenario is checked for the first time."""


def facts_image_folder(options: ImageFolderOptions) -> DataFacts:
    """Return the facts of a folder: from its listing or, where images may be skipped, its cache."""
    listing = image_listing(options)
    return _facts(listing, options, _arrays(listing, options) if _may_skip(options) else None)


def load_image_folder(options: ImageFolderOptions) -> DataSet:
    """Return a folder of images, class after class, each sorted by order, if any, and name."""
    listing = image_listing(options)
    arrays = _arrays(listing, options)
    facts = _facts(listing, options, arrays)
    mean, std = (tuple(row) for row in arrays["moments"].tolist())
    x_train, x_test = arrays["x_train"], arrays["x_test"]
    digest = dataset_digest(x_train, facts.y_train, x_test, facts.y_test)
    skipped = skipped_images(arrays)
    return DataSet("image_folder", facts, x_train, x_test, mean, std, digest, skipped=skipped)


def image_listing(options: ImageFolderOptions) -> Listing:
    """Return which files are images of which class, and which are for testing.

    Raises:
        DataError: the folder or the CSV file cannot be used.
    """
    path, fraction = options.path, options.test_fraction
    if is_list(path):
        root = path.parent if options.images is None else options.images
        return listed_images(path, root, fraction, missing_ok=_may_skip(options))
    if options.images is not None:
        raise DataError(
            f"image folder '{path}': 'images' is given, but 'path' is no CSV file - leave it out"
        )
    listing = list_images(path, fraction)
    if listing.foreign and not _may_skip(options):
        raise bad_images(path, foreign_images(listing))
    return listing


def _may_skip(options: ImageFolderOptions) -> bool:
    return options.on_bad_image == "skip"


def _facts(listing: Listing, options: ImageFolderOptions, arrays: Arrays | None) -> DataFacts:
    """Return the facts, of the images that are left where they were decoded."""
    parts = {"train": listing.train, "test": listing.test}
    labels = {name: part.class_ids for name, part in parts.items()}
    domains = {name: part.domains for name, part in parts.items()}
    if arrays is not None:
        labels = {name: arrays[f"y_{name}"] for name in parts}
        domains = {name: arrays.get(f"domain_{name}") for name in parts}
    return DataFacts(
        class_ids=tuple(range(len(listing.class_names))),
        class_names=listing.class_names,
        y_train=np.array(labels["train"], dtype=np.int64),
        y_test=np.array(labels["test"], dtype=np.int64),
        sample_shape=(3, options.image_size, options.image_size),
        domain_train=_copied(domains["train"]),
        domain_test=_copied(domains["test"]),
        domain_names=listing.domain_names,
    )


def _copied(domains: IntArray | None) -> IntArray | None:
    """Return an array in memory, for the cache's is mapped."""
    return None if domains is None else np.array(domains, dtype=np.int64)


def _arrays(listing: Listing, options: ImageFolderOptions) -> Arrays:
    arrays = decoded(listing, options.path, options.image_size, _may_skip(options))
    warn_once(options.path, skipped_images(arrays))
    return arrays
