"""How large listed images are, from the headers of a few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median

from cilsim.data.listing import Listing
from cilsim.errors import DataError

LOOKED_AT = 64
"""Images whose size is read, the first of each class in turn."""


def typical_side(where: Path, listing: Listing) -> int:
    """Return the median of the shorter sides of some training images.

    Args:
        where: what lists them, for messages.
        listing: the images.

    Raises:
        DataError: none of them is readable.
    """
    sides = [side for path in islice(_in_turn(listing), LOOKED_AT) if (side := _side(path))]
    if not sides:
        raise DataError(
            f"'{where}': none of the first {LOOKED_AT} images is readable - look at them, or say "
            "how large they are by --image-size"
        )
    return int(median(sides))


def _in_turn(listing: Listing) -> Iterator[Path]:
    """Yield the first image of every class, then the second, so that each class has its say."""
    seen: Counter[int] = Counter()
    turns = []
    for file, class_id in zip(listing.train.files, listing.train.class_ids.tolist(), strict=True):
        turns.append((seen[class_id], class_id, file))
        seen[class_id] += 1
    return (listing.root / file for _, _, file in sorted(turns))


def _side(path: Path) -> int:
    """Return the shorter side of an image, 0 if it cannot be read."""
    from PIL import Image

    from cilsim.data.image_decoding import FORMATS

    try:
        with Image.open(path, formats=FORMATS) as image:
            return min(image.size)
    except (OSError, ValueError, Image.DecompressionBombError):  # whoever decodes it says so
        return 0
