"""Small images of test samples in one PNG, which notes the position of each in the test part.

Axis letters: E examples, C channels, H W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cilsim.results.reading import damaged

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 48
"""Longest side of an image in the sheet; larger ones are made smaller."""
COLUMNS = 8
_POSITIONS = "positions"


@dataclass(frozen=True)
class ExampleSheet:
    """Square tiles, `COLUMNS` in each row.

    Attributes:
        png: the file.
        tile: side of each, in pixels.
        positions: of the samples in the data set's test part, from left to right and downwards.
    """

    png: bytes
    tile: int
    positions: tuple[int, ...]

    @property
    def columns(self) -> int:
        """Tiles in a row."""
        return min(COLUMNS, len(self.positions))


def example_sheet(images_ECHW: NDArray[np.uint8], positions: Sequence[int]) -> bytes:
    """Return images as a PNG, the same bytes for the same images.

    Args:
        images_ECHW: at least one, with one or three channels; of longer ones the middle is shown.
        positions: of the samples in the test part.
    """
    from PIL import Image, ImageOps
    from PIL.PngImagePlugin import PngInfo

    tile = min(MOST_PIXELS, *images_ECHW.shape[2:])
    columns, rows = min(COLUMNS, len(images_ECHW)), -(-len(images_ECHW) // COLUMNS)
    sheet = Image.new("RGB", (columns * tile, rows * tile))
    for place, image_CHW in enumerate(images_ECHW):
        fitted = ImageOps.fit(_image(image_CHW), (tile, tile), Image.Resampling.BICUBIC)
        sheet.paste(fitted, (place % COLUMNS * tile, place // COLUMNS * tile))
    about = PngInfo()
    about.add_text(_POSITIONS, ",".join(map(str, positions)))
    file = BytesIO()
    sheet.save(file, "PNG", optimize=True, pnginfo=about)
    return file.getvalue()


def parse_example_sheet(path: Path, content: bytes) -> ExampleSheet:
    """Return the sheet that a file consists of.

    Raises:
        CheckpointError: it is no such sheet.
    """
    from PIL import Image

    try:
        with Image.open(BytesIO(content), formats=["PNG"]) as sheet:
            text: Any = getattr(sheet, "text", {})
            positions = tuple(int(position) for position in text[_POSITIONS].split(","))
            tile = sheet.width // min(COLUMNS, len(positions))
    except (OSError, ValueError, KeyError) as error:
        raise damaged(path, "it is not a sheet of examples") from error
    return ExampleSheet(content, tile, positions)


def _image(image_CHW: NDArray[np.uint8]) -> Image:
    from PIL import Image

    image_HWC = image_CHW.transpose(1, 2, 0)
    if image_HWC.shape[2] == 1:
        image_HWC = np.repeat(image_HWC, 3, axis=2)
    return Image.fromarray(np.ascontiguousarray(image_HWC))
