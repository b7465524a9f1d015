"""Mean and standard deviation of each channel, for normalisation.

Axis letters: N samples, C channels, H W pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CHUNK_BYTES = 4 << 20


def channel_moments(
    images_NCHW: NDArray[np.uint8],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation per channel of uint8 images, as fractions of 255.

    The sums are integers, hence exact and independent of the chunks in which the images are read.
    A channel that is the same everywhere gets a deviation of 1, so that dividing by it is safe.
    """
    channels = images_NCHW.shape[1]
    total_C = np.zeros(channels, dtype=np.uint64)
    squares_C = np.zeros(channels, dtype=np.uint64)
    rows = max(1, _CHUNK_BYTES // max(1, images_NCHW[:1].nbytes))
    for first in range(0, len(images_NCHW), rows):
        wide_NCHW = images_NCHW[first : first + rows].astype(np.uint32)
        total_C += wide_NCHW.sum(axis=(0, 2, 3), dtype=np.uint64)
        squares_C += (wide_NCHW * wide_NCHW).sum(axis=(0, 2, 3), dtype=np.uint64)
    count = images_NCHW.size // channels
    mean_C = total_C / count
    deviation_C = np.sqrt(np.maximum(squares_C / count - mean_C * mean_C, 0.0))
    scaled_C = np.where(deviation_C > 0.0, deviation_C / 255.0, 1.0)
    return tuple((mean_C / 255.0).tolist()), tuple(scaled_C.tolist())
