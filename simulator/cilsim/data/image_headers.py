"""Sizes and kinds of image files, from their headers."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cilsim.data.folder_listing import Listing
from cilsim.data.image_decoding import FORMATS

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class ImageHeaders:
    """What the headers of image files say.

    Attributes:
        sizes: number of files of each (width, height) in pixels.
        modes: number of files of each kind, such as `RGB`, `L` (grey) or `P` (palette).
        bytes: size of all files.
        unreadable: files whose header cannot be read.
    """

    sizes: Counter[tuple[int, int]]
    modes: Counter[str]
    bytes: int
    unreadable: int


def image_headers(listing: Listing) -> ImageHeaders:
    """Return what the headers of all listed files say; no pixel is decoded."""
    files = [listing.root / file for part in (listing.train, listing.test) for file in part.files]
    found = [_header(file) for file in files]
    known = [header for header in found if header is not None]
    return ImageHeaders(
        sizes=Counter(size for size, _, _ in known),
        modes=Counter(mode for _, mode, _ in known),
        bytes=sum(count for _, _, count in known),
        unreadable=len(found) - len(known),
    )


def _header(file: Path) -> tuple[tuple[int, int], str, int] | None:
    from PIL import Image

    if not file.is_file():  # a pipe would be waited for
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks about sizes
            with Image.open(file, formats=FORMATS) as image:
                return image.size, image.mode, file.stat().st_size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
