"""The pictures of discovered clusters that a run keeps beside its results."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np

from cilsim.records import RunResult
from cilsim.report.canvas import RgbArray
from cilsim.results.seed_folder import cluster_picture_path


def read_cluster_picture(folder: Path, experience: int) -> RgbArray | None:
    """Return the picture of an experience as (H, W, 3) uint8, or None if there is none.

    Args:
        folder: of the run.
        experience: what was discovered in it.
    """
    path = cluster_picture_path(folder, experience)
    if not path.is_file():
        return None
    from PIL import Image

    with Image.open(path) as picture:
        pixels: RgbArray = np.asarray(picture.convert("RGB"))
    return pixels


def latest_cluster_picture(result: RunResult) -> tuple[int, str] | None:
    """Return the last experience that has a picture, and the picture as a `data:` address."""
    for evaluation in reversed(result.evaluations):
        path = cluster_picture_path(result.run.folder, evaluation.experience)
        if path.is_file():
            encoded = base64.b64encode(path.read_bytes()).decode("ascii")
            return evaluation.experience, f"data:image/png;base64,{encoded}"
    return None
