"""Image files to arrays of one size, several at a time.

Axis letters: N images, C channel, H W pixels.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_BLOCK = 256
"""Images waiting at a time, so that an interruption takes effect soon."""


def decode(path: Path, side: int) -> NDArray[np.uint8]:
    """Return an image as (3, side, side): shorter side resized, centre cut out.

    Raises:
        ValueError: the file is no image, broken, too large, or has more than 8 bits per channel.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.mode in ("I", "F") or image.mode.startswith("I;"):
                raise ValueError(f"mode '{image.mode}' has more than 8 bits per channel")
            colour = image.convert("RGB")
    except MemoryError:
        raise
    except Exception as error:  # Pillow's readers fail in many ways on broken files
        raise ValueError(f"'{path}' is no readable image: {error}") from error
    scale = side / min(colour.size)
    width, height = (max(side, round(length * scale)) for length in colour.size)
    scaled = colour.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - side) // 2, (height - side) // 2
    cut = scaled.crop((left, top, left + side, top + side))
    return np.asarray(cut).transpose(2, 0, 1)


def decode_all(root: Path, files: Sequence[str], out_NCHW: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Fill `out_NCHW` with the images and return which of them could be read (N,).

    Decoding releases Python's lock, so threads help; each image has its own row, so their number
    changes nothing.
    """
    side = out_NCHW.shape[-1]

    def fill(row: int) -> bool:
        try:
            out_NCHW[row] = decode(root / files[row], side)
        except ValueError:
            return False
        return True

    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")  # Pillow's remarks about sizes and palettes
        blocks = [range(first, len(files))[:_BLOCK] for first in range(0, len(files), _BLOCK)]
        good = [readable for block in blocks for readable in pool.map(fill, block)]
    return np.array(good, dtype=np.bool_)
