"""`image_folder`: any folder of images, one folder per class.

Images are decoded once and kept in the cache; a changed, added or removed file makes it anew.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from pydantic import Field

from cilsim.data.array_cache import Arrays, cache_key, cached_arrays
from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.digest import dataset_digest
from cilsim.data.folder_listing import Listing, Part, list_images
from cilsim.data.image_decoding import decode_all
from cilsim.data.moments import channel_moments
from cilsim.data.places import cache_root
from cilsim.errors import DataError
from cilsim.options import Options

_FORMAT = 2
_ROWS = 1024
_SHOWN = 3
_log = logging.getLogger(__name__)


class ImageFolderOptions(Options):
    """Options of a folder of images."""

    path: Path
    """Folder with <class>/<image>, or with train/<class>/<image> and test/<class>/<image>."""
    image_size: Annotated[int, Field(ge=8, le=1024)] = 32
    """Side in pixels; the shorter side is resized to it and the centre is cut out."""
    test_fraction: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.2
    """Part of each class that is for testing, where there are no train and test folders."""
    on_bad_image: Literal["refuse", "skip"] = "refuse"
    """What to do about files that are no images or cannot be decoded. To know how many images
    remain, `skip` decodes the folder when a scenario is checked for the first time."""


def facts_image_folder(options: ImageFolderOptions) -> DataFacts:
    """Return the facts of a folder: from its listing or, where images may be skipped, its cache."""
    listing = _listing(options)
    if options.on_bad_image == "refuse":
        return _facts(listing, options, listing.train.class_ids, listing.test.class_ids)
    arrays = _decoded(listing, options)
    return _facts(listing, options, arrays["y_train"], arrays["y_test"])


def load_image_folder(options: ImageFolderOptions) -> DataSet:
    """Return a folder of images, class after class, each class sorted by file name."""
    listing = _listing(options)
    arrays = _decoded(listing, options)
    facts = _facts(listing, options, arrays["y_train"], arrays["y_test"])
    mean, std = (tuple(row) for row in arrays["moments"].tolist())
    x_train, x_test = arrays["x_train"], arrays["x_test"]
    digest = dataset_digest(x_train, facts.y_train, x_test, facts.y_test)
    return DataSet("image_folder", facts, x_train, x_test, mean, std, digest)


def _listing(options: ImageFolderOptions) -> Listing:
    listing = list_images(options.path, options.test_fraction)
    if listing.foreign and options.on_bad_image == "refuse":
        raise _bad_images(options.path, listing.foreign)
    return listing


def _facts(
    listing: Listing, options: ImageFolderOptions, y_train: NDArray[Any], y_test: NDArray[Any]
) -> DataFacts:
    return DataFacts(
        class_ids=tuple(range(len(listing.class_names))),
        class_names=listing.class_names,
        y_train=np.array(y_train, dtype=np.int64),
        y_test=np.array(y_test, dtype=np.int64),
        sample_shape=(3, options.image_size, options.image_size),
    )


def _decoded(listing: Listing, options: ImageFolderOptions) -> Arrays:
    """Return x_train, y_train, x_test, y_test and moments (2, 3) from the cache."""
    parts = {"train": listing.train, "test": listing.test}

    def build(folder: Path) -> None:
        count = sum(len(part.files) for part in parts.values())
        _log.info("image folder '%s': decoding %d images (once)", options.path, count)
        good = {
            name: _decode_part(folder, name, listing.root, part, options.image_size)
            for name, part in parts.items()
        }
        _judge(listing, options, good)
        for name, part in parts.items():
            _keep(folder, name, part, good[name])
        x_train = np.load(folder / "x_train.npy", mmap_mode="r")
        np.save(folder / "moments.npy", np.array(channel_moments(x_train)))

    def about() -> dict[str, Any]:
        return {"folder": str(options.path), "image_size": options.image_size}

    state = [_state(listing.root, part) for part in parts.values()]
    folder_and_choices = str(listing.root.resolve()), options.image_size, options.on_bad_image
    key = cache_key(_FORMAT, *folder_and_choices, state)
    return cached_arrays(cache_root() / "data" / f"image_folder-{key}", build, about)


def _state(root: Path, part: Part) -> list[tuple[str, int, int]]:
    """Return all that tells whether a file was changed, of every file."""
    found = []
    for file in part.files:
        try:
            stat = (root / file).stat()
        except OSError:  # a broken link; it will be found to be no image
            found.append((file, -1, -1))
        else:
            found.append((file, stat.st_size, stat.st_mtime_ns))
    return found


def _decode_part(folder: Path, name: str, root: Path, part: Part, side: int) -> NDArray[np.bool_]:
    """Write a row for every file and return which of them hold an image."""
    shape = (len(part.files), 3, side, side)
    every_NCHW = open_memmap(folder / f"x_{name}.npy", mode="w+", dtype=np.uint8, shape=shape)
    good_N = decode_all(root, part.files, every_NCHW)
    every_NCHW.flush()
    return good_N


def _judge(
    listing: Listing, options: ImageFolderOptions, good: dict[str, NDArray[np.bool_]]
) -> None:
    """Refuse bad images or, where they may be skipped, classes of which nothing is left."""
    for name, part in (("train", listing.train), ("test", listing.test)):
        bad = [part.files[row] for row in np.flatnonzero(~good[name])]
        if bad and options.on_bad_image == "refuse":
            raise _bad_images(options.path, bad)
        left = np.bincount(part.class_ids[good[name]], minlength=len(listing.class_names))
        if not left.all():
            raise DataError(
                f"image folder '{options.path}': class '{listing.class_names[left.argmin()]}' has "
                f"no readable {name} image left after skipping {len(bad)}"
            )
        if bad:
            _log.warning("image folder '%s': %d bad images skipped", options.path, len(bad))


def _keep(folder: Path, name: str, part: Part, good_N: NDArray[np.bool_]) -> None:
    """Drop the rows of files that hold no image, and write the class ids of the others."""
    rows = np.flatnonzero(good_N)
    np.save(folder / f"y_{name}.npy", part.class_ids[rows])
    if len(rows) == len(good_N):
        return
    every = (folder / f"x_{name}.npy").rename(folder / "every.npy")
    every_NCHW = np.load(every, mmap_mode="r")
    shape = (len(rows), *every_NCHW.shape[1:])
    kept_NCHW = open_memmap(folder / f"x_{name}.npy", mode="w+", dtype=np.uint8, shape=shape)
    for first in range(0, len(rows), _ROWS):
        kept_NCHW[first : first + _ROWS] = every_NCHW[rows[first : first + _ROWS]]
    kept_NCHW.flush()
    every.unlink()


def _bad_images(path: Path, files: Sequence[str]) -> DataError:
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    are = "file is no readable image" if len(files) == 1 else "files are no readable images"
    return DataError(
        f"image folder '{path}': {len(files)} {are}: {', '.join(files[:_SHOWN])}{more} - "
        "remove them, or set 'on_bad_image: skip'"
    )
