"""Masters: every code point drawn once in every face, centred, at one size."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cilsim.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

FACES = tuple(
    f"DejaVu{family}{style}.ttf"
    for family, slanted in (("Sans", "Oblique"), ("SansMono", "Oblique"), ("Serif", "Italic"))
    for style in ("", "-Bold", f"-{slanted}", f"-Bold{slanted}")
)
MASTER_SIDE = 48
_BOX = 40
_POINTS = 64


def draw_masters(code_points: Sequence[int]) -> NDArray[np.uint8]:
    """Return (code points, faces, 48, 48) drawings, 255 is ink, the longer side of each 40 pixels.

    Raises:
        DataError: matplotlib's fonts are not where its distribution puts them.
    """
    fonts = [_open_face(face) for face in FACES]
    masters = np.zeros((len(code_points), len(FACES), MASTER_SIDE, MASTER_SIDE), dtype=np.uint8)
    for row, code_point in enumerate(code_points):
        for column, font in enumerate(fonts):
            _paste_centred(masters[row, column], _draw_tight(chr(code_point), font))
    return masters


def font_folder() -> Path:
    """Return the folder of the fonts that matplotlib ships, without importing matplotlib."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise DataError(
            "glyph data sets: matplotlib is not installed - its DejaVu fonts are drawn - "
            "install it with 'pip install matplotlib'"
        )
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"


def _open_face(face: str) -> FreeTypeFont:
    from PIL import ImageFont

    path = font_folder() / face
    try:
        # from memory: given a path that is missing, Pillow takes a system font of the same name;
        # the basic layout is FreeType alone, raqm may or may not be there
        content = BytesIO(path.read_bytes())
        return ImageFont.truetype(content, _POINTS, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise DataError(
            f"glyph data sets: the font '{path}' cannot be read: {error.strerror or error} - "
            "it is part of matplotlib - reinstall it with "
            "'pip install --force-reinstall matplotlib'"
        ) from error


def _draw_tight(text: str, font: FreeTypeFont) -> Image:
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (3 * _POINTS, 3 * _POINTS))
    ImageDraw.Draw(canvas).text((_POINTS, _POINTS // 2), text, font=font, fill=255)
    return canvas.crop(canvas.getbbox())


def _paste_centred(master: NDArray[np.uint8], drawing: Image) -> None:
    from PIL import Image

    scale = _BOX / max(drawing.size)
    width, height = (max(1, round(side * scale)) for side in drawing.size)
    scaled = drawing.resize((width, height), Image.Resampling.BILINEAR)
    top, left = (MASTER_SIDE - height) // 2, (MASTER_SIDE - width) // 2
    master[top : top + height, left : left + width] = np.asarray(scaled)
