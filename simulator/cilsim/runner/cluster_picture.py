"""A picture of what was discovered: example images of each cluster of an experience.

Axis letters: N samples, E examples, C channels, H W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cilsim.metrics.matching import UNMATCHED, hungarian_match
from cilsim.records import Evaluation, StreamInfo
from cilsim.results.contact_sheet import Row, contact_sheet
from cilsim.runner.materials import Materials

EXAMPLES = 12
"""Images of each cluster."""
MOST_CLUSTERS = 24
"""Clusters in one picture; the others are left out."""


def cluster_picture(
    materials: Materials, evaluation: Evaluation, stream: StreamInfo, clusters: Sequence[int]
) -> bytes | None:
    """Return a PNG with example images of each cluster, or None without clusters or images.

    The examples are the first of the unlabelled samples just learnt that went to the cluster; the
    caption says which class it was matched to, and how much of it is of that class.

    Args:
        materials: gives the images.
        evaluation: with the predictions of the unlabelled samples.
        stream: facts about the stream.
        clusters: ids of the clusters that this experience found.
    """
    predictions = evaluation.unlabelled
    if predictions is None or not clusters or materials.are_features:
        return None
    match = hungarian_match(predictions.label, predictions.predicted)
    rows = []
    for cluster in clusters[:MOST_CLUSTERS]:
        members_N = np.flatnonzero(predictions.predicted == cluster)
        examples = materials.training_samples(predictions.index[members_N[:EXAMPLES]])
        label = match.get(cluster, UNMATCHED)
        rows.append(
            Row(
                heading=f"cluster {cluster}",
                caption=_caption(predictions.label[members_N], label, stream),
                images=examples.x[:].cpu().numpy(),
            )
        )
    return contact_sheet(rows, EXAMPLES)


def _caption(
    labels_N: np.ndarray[tuple[int], np.dtype[np.int64]], label: int, stream: StreamInfo
) -> str:
    if not len(labels_N):
        return "empty"
    if label == UNMATCHED:
        return f"no class, {len(labels_N)} samples"
    right = int((labels_N == label).sum())
    return f"{stream.class_names[label]}: {right} of {len(labels_N)}"
