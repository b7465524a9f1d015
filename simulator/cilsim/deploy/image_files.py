"""Image files of a user, read as the images of the training were."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cilsim.data.folder_listing import SUFFIXES
from cilsim.data.image_decoding import decode_rows
from cilsim.deploy.load_plain import grey
from cilsim.deploy.read_samples import Place, ReadSamples
from cilsim.deploy.stored_model import InputFacts
from cilsim.errors import DataError

BLOCK = 512
"""Images that are in memory at a time."""


def image_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files named, and the images below the folders named, sorted within each.

    Raises:
        DataError: a folder holds no image, or nothing was named.
    """
    files = [file for path in paths for file in (_images_below(path) if path.is_dir() else [path])]
    if not files:
        raise DataError("no image was named - expected image files or folders of them")
    return files


def _images_below(folder: Path) -> list[Path]:
    found = [
        Path(parent) / name
        for parent, _, names in os.walk(folder)
        for name in names
        if name.casefold().endswith(SUFFIXES) and not name.startswith(".")
    ]
    if not found:
        raise DataError(
            f"{folder}: there are no images in it - expected files ending in {', '.join(SUFFIXES)}"
        )
    return sorted(found)


def read_images(files: Sequence[Path], given: InputFacts) -> ReadSamples:
    """Return images as a model of images wants them; broken ones are left out."""
    channels, side, _ = given.shape
    x_NCHW = np.empty((len(files), 3, side, side), dtype=np.uint8)
    why = decode_rows(enumerate(files), x_NCHW)
    good = [row for row in range(len(files)) if row not in why]
    broken = {files[row]: reason for row, reason in sorted(why.items())}
    places = tuple(Place(files[row]) for row in good)
    return ReadSamples(places, in_channels(x_NCHW[good], channels), broken)


def in_channels(x_NCHW: NDArray[Any], channels: int) -> NDArray[np.uint8]:
    """Return RGB images (N, 3, H, W) with three channels, or with one of their brightness."""
    if channels == 3 or not len(x_NCHW):
        return x_NCHW[:, :channels]
    return np.stack([grey(image) for image in x_NCHW])


def in_blocks(files: Sequence[Path], given: InputFacts) -> Iterator[ReadSamples]:
    """Yield the images of many files, so many at a time that memory stays bounded."""
    for start in range(0, len(files), BLOCK):
        yield read_images(files[start : start + BLOCK], given)
