"""Photographs of a published set as squares of one size, decoded once and kept in the cache.

One deviation follows from keeping squares: published training pipelines crop the whole photograph,
whereas here a training crop cannot reach the sides that were cut off (or, where a set is stretched
to the square, sees changed proportions), nor more pixels than were kept.

Axis letters: N images, C channel, H W pixels.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from cilsim.data.array_cache import Arrays, cache_key, cached_arrays
from cilsim.data.dataset import DataSet
from cilsim.data.decoding_progress import DecodingProgress
from cilsim.data.digest import dataset_digest
from cilsim.data.image_decoding import decode_rows
from cilsim.data.image_listing import ImageListing
from cilsim.data.image_set import ImageSet, facts_of
from cilsim.data.image_source import ImageSource, quoted
from cilsim.data.places import cache_root
from cilsim.data.publication import require_intact
from cilsim.errors import DataError

_FORMAT = 1
_log = logging.getLogger(__name__)


def load_squares(
    published: ImageSet,
    source: ImageSource,
    listing: ImageListing,
    size: int,
    *,
    verify: bool = False,
) -> DataSet:
    """Return the images of a listing, out of the cache if they were decoded before.

    Args:
        published: how the images are stored.
        source: where they are read from.
        listing: which images, and their classes.
        size: side in pixels.
        verify: compare an archive with its published checksum first.

    Raises:
        DataError: a file is missing or broken, the archive is not the published one, or the cache
            cannot be written.
    """
    facts = facts_of(published, listing, size)
    arrays = _cached(published, source, listing, size, verify)
    train, crop = len(facts.y_train), published.test_crop(size)
    x_train, x_test = arrays["images"][:train], arrays["images"][train:]
    mean, std, digest = published.mean, published.std, arrays["digest"].tobytes().hex()
    return DataSet(published.name, facts, x_train, x_test, mean, std, digest, crop)


def _cached(
    published: ImageSet, source: ImageSource, listing: ImageListing, size: int, verify: bool
) -> Arrays:
    """Return `images` (N, 3, size, size), training ones first, and `digest` (32,) of all."""
    y_train, y_test = listing.train.class_ids, listing.test.class_ids

    def build(folder: Path) -> None:
        if verify:
            require_intact(published.publication, source.archives)
        images_NCHW = _new_array(folder / "images.npy", (len(listing.files), 3, size, size))
        _decode(published, source, listing.files, images_NCHW)
        x_train, x_test = images_NCHW[: len(y_train)], images_NCHW[len(y_train) :]
        digest = dataset_digest(x_train, y_train, x_test, y_test)
        np.save(folder / "digest.npy", np.frombuffer(bytes.fromhex(digest), dtype=np.uint8))

    def about() -> dict[str, Any]:
        return {"data set": published.name, "from": str(source.path), "size": size}

    state = source.state(listing.files)
    labels = y_train.tolist(), y_test.tolist()
    key = cache_key(_FORMAT, size, published.stretch, verify, listing.files, *labels, state)
    return cached_arrays(cache_root() / "data" / f"{published.name}-{key}", build, about)


def _new_array(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return a new array on disk, for which the space is taken at once.

    Without that, a full disk would end the process in the middle of a write to mapped memory.
    """
    array: NDArray[np.uint8] = open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    if sys.platform == "linux":
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def _decode(
    published: ImageSet,
    source: ImageSource,
    files: tuple[str, ...],
    images_NCHW: NDArray[np.uint8],
) -> None:
    gigabytes = images_NCHW.size / 1e9
    _log.info("%s: decoding %d images (once), %.1f GB", published.where, len(files), gigabytes)
    rows = {name: row for row, name in enumerate(files)}
    progress = DecodingProgress(published.where, len(files))
    why = decode_rows(
        source.images(rows), images_NCHW, stretch=published.stretch, progress=progress
    )
    bad = [files[row] for row in sorted(why)]
    if bad:
        are = "file is no readable image" if len(bad) == 1 else "files are no readable images"
        raise DataError(
            f"{published.where}: {len(bad)} {are} in '{source.path}': {quoted(bad)} - "
            "fetch and unpack it again"
        )
