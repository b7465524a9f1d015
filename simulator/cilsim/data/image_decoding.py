"""Image files to arrays of one size, several at a time.

Axis letters: N images, C channel, H W pixels.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_BLOCK = 256
"""Images waiting at a time, so that an interruption takes effect soon."""

ImageFile = Path | BinaryIO
"""An image on disk, or its bytes out of an archive."""


def decode(file: ImageFile, side: int, *, stretch: bool = False) -> NDArray[np.uint8]:
    """Return an image as (3, side, side): shorter side resized, centre cut out.

    Args:
        file: of any format that Pillow reads.
        side: in pixels.
        stretch: resize both sides instead, which cuts nothing off but changes proportions.

    Raises:
        ValueError: the file is no image, broken, too large, or has more than 8 bits per channel.
    """
    from PIL import Image

    try:
        with Image.open(file) as image:
            if image.mode in ("I", "F") or image.mode.startswith("I;"):
                raise ValueError(f"mode '{image.mode}' has more than 8 bits per channel")
            colour = image.convert("RGB")
    except MemoryError:
        raise
    except Exception as error:  # Pillow's readers fail in many ways on broken files
        raise ValueError(f"'{file}' is no readable image: {error}") from error
    square = _stretched(colour, side) if stretch else _centre_square(colour, side)
    return np.asarray(square).transpose(2, 0, 1)


def _stretched(colour: Picture, side: int) -> Picture:
    from PIL.Image import Resampling

    return colour.resize((side, side), Resampling.BILINEAR)


def _centre_square(colour: Picture, side: int) -> Picture:
    """Return what torchvision's Resize and CenterCrop make of an image, to the pixel.

    The longer side is rounded down, half a pixel of the offset to even.
    """
    from PIL.Image import Resampling

    shorter = min(colour.size)
    width, height = (side * length // shorter for length in colour.size)
    scaled = colour.resize((width, height), Resampling.BILINEAR)
    left, top = round((width - side) / 2), round((height - side) / 2)
    return scaled.crop((left, top, left + side, top + side))


def decode_all(root: Path, files: Sequence[str], out_NCHW: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Fill `out_NCHW` with the images and return which of them could be read (N,)."""
    return decode_rows(((row, root / name) for row, name in enumerate(files)), out_NCHW)


def decode_rows(
    items: Iterable[tuple[int, ImageFile]],
    out_NCHW: NDArray[np.uint8],
    *,
    stretch: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> NDArray[np.bool_]:
    """Fill rows of `out_NCHW` with images and return which rows could be filled (N,).

    Decoding releases Python's lock, so threads help; each image has its own row, so their number
    changes nothing.

    Args:
        items: row and image, in any order.
        out_NCHW: square images.
        stretch: see `decode`.
        progress: told now and then how many images are done.
    """
    good_N = np.zeros(len(out_NCHW), dtype=np.bool_)

    def fill(item: tuple[int, ImageFile]) -> None:
        row, file = item
        with suppress(ValueError):
            out_NCHW[row] = decode(file, out_NCHW.shape[-1], stretch=stretch)
            good_N[row] = True

    done, waiting = 0, iter(items)
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")  # Pillow's remarks about sizes and palettes
        while block := list(islice(waiting, _BLOCK)):
            done += len(list(pool.map(fill, block)))
            progress(done)
    return good_N
