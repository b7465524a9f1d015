"""Rows of small images with captions, as one PNG.

Axis letters: E examples, C channels, H W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

TILE = 48
"""Side of each image in the picture, in pixels."""
GAP = 4
TEXT_WIDTH = 190
LINE = 16
TEXT_SIZE = 11
INK = (28, 30, 33)
SOFT = (91, 97, 104)


@dataclass(frozen=True)
class Row:
    """One line of the sheet.

    Attributes:
        heading: what the row shows.
        caption: more about it.
        images: (E, C, H, W) uint8, with one or three channels.
    """

    heading: str
    caption: str
    images: NDArray[np.uint8]


def contact_sheet(rows: Sequence[Row], columns: int) -> bytes:
    """Return the rows as a PNG, the same bytes for the same rows.

    Args:
        rows: from top to bottom.
        columns: most images of a row.
    """
    from PIL import Image, ImageDraw

    font = _font()
    height = len(rows) * (TILE + GAP) + GAP
    sheet = Image.new("RGB", (TEXT_WIDTH + columns * (TILE + GAP), height), "white")
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        top = GAP + number * (TILE + GAP)
        draw.text((GAP, top + 8), row.heading, fill=INK, font=font)
        draw.text((GAP, top + 8 + LINE), row.caption[:30], fill=SOFT, font=font)
        for place, image_CHW in enumerate(row.images[:columns]):
            tile = Image.fromarray(_pixels(image_CHW))
            left = TEXT_WIDTH + place * (TILE + GAP)
            sheet.paste(tile.resize((TILE, TILE), Image.Resampling.BICUBIC), (left, top))
    file = BytesIO()
    sheet.save(file, "PNG", optimize=True)
    return file.getvalue()


def _font() -> FreeTypeFont:
    """Return the font that comes with matplotlib, which knows the letters of many alphabets."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", TEXT_SIZE)


def _pixels(image_CHW: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W, 3) pixels; grey images get three equal channels."""
    image_HWC = image_CHW.transpose(1, 2, 0)
    pixels: NDArray[np.uint8] = (
        np.repeat(image_HWC, 3, axis=2) if len(image_CHW) == 1 else image_HWC
    )
    return np.ascontiguousarray(pixels)
