"""Stored predictions as labels, and the experience that each sample belongs to.

Axis letters: N samples.
"""

from __future__ import annotations

import numpy as np

from cilsim.metrics.matching import hungarian_match, relabel
from cilsim.records import IntArray, Predictions, StreamInfo


def are_clusters(stream: StreamInfo, after: int) -> bool:
    """Return whether predictions after this experience are cluster ids rather than labels."""
    return any(experience.unlabelled for experience in stream.experiences[: after + 1])


def named_predictions(predictions: Predictions, stream: StreamInfo) -> IntArray:
    """Return (N,) predicted labels, with clusters named by matching; -1 for one without a class."""
    if not are_clusters(stream, predictions.experience):
        return predictions.predicted
    match = hungarian_match(predictions.label, predictions.predicted)
    return relabel(predictions.predicted, match)


def experience_of_sample(predictions: Predictions, stream: StreamInfo) -> IntArray:
    """Return (N,) the experience to whose test part each predicted sample belongs.

    Predictions hold the test parts of experiences 0..i one after the other, so that a class may be
    in several of them.

    Raises:
        ValueError: there are more or fewer predictions than test samples.
    """
    counts = [info.test for info in stream.experiences[: predictions.experience + 1]]
    if sum(counts) != predictions.label.size:
        raise ValueError(
            f"{predictions.label.size} predictions after experience {predictions.experience}; "
            f"expected {sum(counts)}, the test samples of experiences 0 to {predictions.experience}"
        )
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)
