"""A picture of test samples with right and with wrong predictions, for the report.

Axis letters: N samples, E examples.
"""

from __future__ import annotations

import numpy as np

from cilsim.metrics.named import named_predictions
from cilsim.records import Evaluation, IntArray, StreamInfo
from cilsim.results.example_sheet import example_sheet
from cilsim.runner.materials import Materials

RIGHT = 8
WRONG = 24
"""Most examples of each kind."""


def example_picture(
    materials: Materials, evaluation: Evaluation, stream: StreamInfo
) -> bytes | None:
    """Return a PNG of right, then wrong predictions, or None without images or test samples.

    Args:
        materials: gives the images.
        evaluation: with the predictions of the test samples.
        stream: facts about the stream.
    """
    found = evaluation.predictions
    if materials.are_features or not len(found.index):
        return None
    right_N = named_predictions(found, stream) == found.label
    chosen_E = np.concatenate([_spread(right_N, RIGHT), _spread(~right_N, WRONG)])
    positions_E = found.index[chosen_E]
    images = materials.test_samples(positions_E).x[:].cpu().numpy()
    return example_sheet(images, positions_E.tolist())


def _spread(wanted_N: np.ndarray[tuple[int], np.dtype[np.bool_]], most: int) -> IntArray:
    """Return at most so many places of those that are wanted, evenly from all experiences."""
    places = np.flatnonzero(wanted_N)
    chosen: IntArray = places[np.unique(np.linspace(0, len(places) - 1, min(most, len(places)),
                                                    dtype=np.int64))]  # fmt: skip
    return chosen
