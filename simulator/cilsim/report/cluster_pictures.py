"""The pictures of discovered clusters that a run keeps beside its results."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import numpy as np

from cilsim.records import RunResult
from cilsim.report.canvas import RgbArray
from cilsim.results.sealed_folder import SealedFolder
from cilsim.results.seed_folder import clusters_file


def read_cluster_picture(folder: Path, experience: int) -> RgbArray | None:
    """Return the picture of an experience as (H, W, 3) uint8, or None if there is none.

    Args:
        folder: of the run.
        experience: what was discovered in it.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    content = SealedFolder(folder).read(clusters_file(experience))
    if content is None:
        return None
    from PIL import Image

    with Image.open(BytesIO(content)) as picture:
        pixels: RgbArray = np.asarray(picture.convert("RGB"))
    return pixels


def latest_cluster_picture(result: RunResult) -> tuple[int, str] | None:
    """Return the last experience that has a picture, and the picture as a `data:` address.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    files = SealedFolder(result.run.folder)
    for evaluation in reversed(result.evaluations):
        content = files.read(clusters_file(evaluation.experience))
        if content is not None:
            return evaluation.experience, data_address(content)
    return None


def data_address(png: bytes) -> str:
    """Return a PNG as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
