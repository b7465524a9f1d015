"""Sizes and kinds of image files, from their headers."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cilsim.data.image_decoding import FORMATS
from cilsim.data.listing import Listing

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image as Picture

UPRIGHT = 1
"""Exif's Orientation of an image that is stored as it is to be seen."""


@dataclass(frozen=True)
class ImageHeaders:
    """What the headers of image files say.

    Attributes:
        sizes: number of files of each (width, height) in pixels.
        modes: number of files of each kind, such as `RGB`, `L` (grey) or `P` (palette).
        bytes: size of all files.
        unreadable: files whose header cannot be read.
        turned: JPEG files in which the camera asks for a rotation (Exif's Orientation), which is
            not followed.
    """

    sizes: Counter[tuple[int, int]]
    modes: Counter[str]
    bytes: int
    unreadable: int
    turned: int


def image_headers(listing: Listing) -> ImageHeaders:
    """Return what the headers of all listed files say; no pixel is decoded."""
    files = [listing.root / file for part in (listing.train, listing.test) for file in part.files]
    found = [_header(file) for file in files]
    known = [header for header in found if header is not None]
    return ImageHeaders(
        sizes=Counter(header.size for header in known),
        modes=Counter(header.mode for header in known),
        bytes=sum(header.bytes for header in known),
        unreadable=len(found) - len(known),
        turned=sum(header.turned for header in known),
    )


class _Header(NamedTuple):
    size: tuple[int, int]
    mode: str
    bytes: int
    turned: bool


def _header(file: Path) -> _Header | None:
    from PIL import Image

    if not file.is_file():  # a pipe would be waited for
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks about sizes
            with Image.open(file, formats=FORMATS) as image:
                return _Header(image.size, image.mode, file.stat().st_size, _is_turned(image))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _is_turned(image: Picture) -> bool:
    from PIL.ExifTags import Base

    # of other formats Pillow would decode pixels to look for it
    return image.format == "JPEG" and image.getexif().get(Base.Orientation, UPRIGHT) != UPRIGHT
