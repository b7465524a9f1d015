"""Memory for features that is a file without a name: it ends with whoever uses it.

Axis letters: N samples, D features.
"""

from __future__ import annotations

import os
import sys
import tempfile

import numpy as np
import torch
from torch import Tensor

from cilsim.errors import DataError


def on_disk(count: int, feature_size: int, device: torch.device) -> Tensor:
    """Return uninitialised (N, D) float32 memory that is mapped from a temporary file.

    The space is taken at once: without that, a full disk would end the process in the middle of a
    write to mapped memory.

    Args:
        count: N, at least 1.
        feature_size: D.
        device: has to be the CPU.

    Raises:
        DataError: there is no space in the folder of temporary files.
    """
    if device.type != "cpu":
        raise ValueError(f"features on {device} cannot be mapped from a file")
    size = 4 * count * feature_size
    try:
        with tempfile.TemporaryFile(prefix="cilsim-features-") as file:
            _reserve(file.fileno(), size)
            rows_ND = np.memmap(file, np.float32, mode="r+", shape=(count, feature_size))
    except OSError as error:
        raise DataError(
            f"features of {count} samples: {size} bytes cannot be written in "
            f"'{tempfile.gettempdir()}': {error.strerror or error} - "
            "set TMPDIR to a folder with space"
        ) from error
    # a normal tensor: one made in inference mode could not be trained on
    with torch.inference_mode(False):
        return torch.from_numpy(rows_ND)


def _reserve(descriptor: int, size: int) -> None:
    if sys.platform == "linux":
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)
