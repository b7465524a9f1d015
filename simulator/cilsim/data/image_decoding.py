"""Image files to arrays of one size, several at a time.

What a file has to be: BMP, JPEG, PNG or WebP by its content, whatever its name; 8 bits per
channel; of at most 89,478,485 pixels, as it is and resized, and 32,768 along a side.

How it becomes RGB: grey is repeated, a palette looked up, red of CMYK is (255 - c)(255 - k) / 255
and so on, transparency is dropped and the colour below it kept. Of several pictures in a file the
first counts. Pixels stay where they are stored: a camera's note that they are to be rotated is not
followed, as in torchvision, with which published results were made.

Axis letters: N images, C channel, H W pixels.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cilsim.scenario.origin import abbreviate

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
"""Others can ask for much: EPS, for example, is a program that Pillow has Ghostscript run."""

MOST_PIXELS = 89_478_485
"""Of an image or of what it is resized to; at three bytes each this is a quarter of a gigabyte."""

LONGEST_SIDE = 32_768
"""In pixels."""

LARGE = 1 << 24
"""Pixels from which on only one image is decoded at a time, so that memory stays bounded."""

_ONE_LARGE = Lock()
_BLOCK = 64
"""Images waiting at a time, so that an interruption takes effect soon."""

ImageFile = Path | BinaryIO
"""An image on disk, or its bytes out of an archive."""


class NoImage(ValueError):
    """A file is no image that can be used; the message says why in a few words."""


def decode(file: ImageFile, side: int, *, stretch: bool = False) -> NDArray[np.uint8]:
    """Return an image as (3, side, side): shorter side resized, centre cut out.

    Args:
        file: of one of the formats above.
        side: in pixels.
        stretch: resize both sides instead, which cuts nothing off but changes proportions.

    Raises:
        NoImage: the file is something else, broken, or not of the kind described above.
    """
    from PIL import Image, UnidentifiedImageError

    if isinstance(file, Path) and not file.is_file():
        raise NoImage(_why_no_file(file))
    try:
        with Image.open(file, formats=FORMATS) as image:
            size = _size(image, side, stretch)
            with _turn(image):
                return _square(image.convert("RGB"), size, side)
    except (MemoryError, NoImage):
        raise
    except Image.DecompressionBombError as error:
        raise NoImage("its pixels are too many") from error
    except UnidentifiedImageError as error:
        raise NoImage(f"not {', '.join(FORMATS[:-1])} or {FORMATS[-1]}") from error
    except OSError as error:
        raise NoImage(abbreviate(error.strerror or str(error))) from error
    except Exception as error:  # Pillow's readers fail in many ways on broken files
        raise NoImage(abbreviate(f"{type(error).__name__}: {error}")) from error


def _why_no_file(file: Path) -> str:
    if file.is_symlink():
        return "a broken link"
    return "no regular file" if file.exists() else "no such file"


def _size(image: Picture, side: int, stretch: bool) -> tuple[int, int]:
    """Return width and height to resize to; refuse what is too large or has too many bits.

    As torchvision's Resize has it, the longer side is rounded down.
    """
    width, height = image.size
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise NoImage(f"{width} x {height} pixels are too many")
    if image.mode in ("I", "F") or image.mode.startswith("I;") or _has_sixteen_bits(image):
        raise NoImage("more than 8 bits per channel")
    if stretch:
        return side, side
    shorter = min(width, height)
    wide, high = side * width // shorter, side * height // shorter
    if wide * high > MOST_PIXELS:
        raise NoImage(f"{width} x {height} pixels are too narrow")
    return wide, high


def _has_sixteen_bits(image: Picture) -> bool:
    """Return whether Pillow would cut 16 bits down to 8 without a word, as for colour in PNG."""
    tiles = getattr(image, "tile", ())
    return any(";16" in str(part) for tile in tiles for part in tile[3:])


def _turn(image: Picture) -> AbstractContextManager[object]:
    return _ONE_LARGE if image.width * image.height > LARGE else nullcontext()


def _square(colour: Picture, size: tuple[int, int], side: int) -> NDArray[np.uint8]:
    """Return what torchvision's Resize and CenterCrop make of an image, to the pixel.

    Half a pixel of the crop's offset is rounded to even.
    """
    from PIL.Image import Resampling

    scaled = colour.resize(size, Resampling.BILINEAR)
    left, top = (round((length - side) / 2) for length in size)
    return np.asarray(scaled.crop((left, top, left + side, top + side))).transpose(2, 0, 1)


def decode_all(
    root: Path,
    files: Sequence[str],
    out_NCHW: NDArray[np.uint8],
    progress: Callable[[int], None] = lambda done: None,
) -> dict[int, str]:
    """Fill `out_NCHW` with the images and return why rows could not be filled, by row."""
    items = ((row, root / name) for row, name in enumerate(files))
    return decode_rows(items, out_NCHW, progress=progress)


def decode_rows(
    items: Iterable[tuple[int, ImageFile]],
    out_NCHW: NDArray[np.uint8],
    *,
    stretch: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[int, str]:
    """Fill rows of `out_NCHW` with images and return why rows could not be filled, by row.

    Decoding releases Python's lock, so threads help; each image has its own row, so their number
    changes nothing.

    Args:
        items: row and image, in any order; a row without an image is missing.
        out_NCHW: square images.
        stretch: see `decode`.
        progress: told now and then how many images are done.
    """
    why = dict.fromkeys(range(len(out_NCHW)), "missing")

    def fill(item: tuple[int, ImageFile]) -> None:
        row, file = item
        try:
            out_NCHW[row] = decode(file, out_NCHW.shape[-1], stretch=stretch)
        except NoImage as error:
            why[row] = str(error)
        else:
            why.pop(row, None)

    done, waiting = 0, iter(items)
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")  # Pillow's remarks about sizes and palettes
        while block := list(islice(waiting, _BLOCK)):
            done += len(list(pool.map(fill, block)))
            progress(done)
    return why
