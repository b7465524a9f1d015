"""How large the images of a folder are, from the headers of a few."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from statistics import median

from cilsim.data.folder_listing import SUFFIXES
from cilsim.errors import DataError

LOOKED_AT = 64
"""Images whose size is read, the first of each folder in turn."""


def typical_side(folder: Path) -> int:
    """Return the median of the shorter sides of some images.

    Raises:
        DataError: there is no readable image.
    """
    sides = [side for path in islice(_images(folder), LOOKED_AT) if (side := _side(path))]
    if not sides:
        raise DataError(
            f"{folder}: there are no images in it - expected <class>/<image>, files ending in "
            f"{', '.join(SUFFIXES)}"
        )
    return int(median(sides))


def _images(folder: Path) -> list[Path]:
    """Return the first images of every folder below, so that each class has its say."""
    found = []
    for parent, _, names in os.walk(folder):
        images = sorted(name for name in names if name.casefold().endswith(SUFFIXES))
        found += [(place, Path(parent) / name) for place, name in enumerate(images[:LOOKED_AT])]
    return [path for _, path in sorted(found)]


def _side(path: Path) -> int:
    """Return the shorter side of an image, 0 if it cannot be read."""
    from PIL import Image

    from cilsim.data.image_decoding import FORMATS

    try:
        with Image.open(path, formats=FORMATS) as image:
            return min(image.size)
    except (OSError, ValueError, Image.DecompressionBombError):  # whoever decodes it says so
        return 0
