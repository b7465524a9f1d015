"""Which metrics an experience has: what its predictions say, and what all so far say together.

A value without meaning is NaN or absent. Axis letters: N samples, T experiences.
"""

from __future__ import annotations

import numpy as np

from cilsim.metrics.accuracy import accuracy
from cilsim.metrics.clustering import ari, nmi, purity
from cilsim.metrics.few_shot import (
    base_and_novel_accuracy,
    base_to_novel_rate,
    harmonic_mean,
    novel_to_base_rate,
)
from cilsim.metrics.forgetting import (
    average_incremental_accuracy,
    average_incremental_accuracy_by_experience,
    backward_transfer,
    forgetting,
    forgetting_by_experience,
    performance_drop,
)
from cilsim.metrics.variants import happy_discovery, happy_forgetting
from cilsim.records import FloatArray, IntArray, Predictions, StreamInfo


def accuracy_values(
    label: IntArray, named: IntArray, stream: StreamInfo, after: int
) -> dict[str, float]:
    """Return what the predictions of this experience alone say; NaN where meaningless."""
    if stream.repeats_classes:
        return {"A_all": accuracy(label, named)}  # all classes are those of experience 0
    base = stream.base_labels
    base_accuracy, novel_accuracy = base_and_novel_accuracy(label, named, base)
    now = stream.experiences[after]
    new = np.isin(label, now.novel_labels or now.new_labels)
    values = {
        "A_all": accuracy(label, named),
        "A_base": base_accuracy,
        "A_novel": novel_accuracy,
        "A_hm": harmonic_mean(base_accuracy, novel_accuracy),
        "A_old": accuracy(label[~new], named[~new]),
        "A_new": accuracy(label[new], named[new]),
        "novel_to_base_rate": novel_to_base_rate(label, named, base),
    }
    if after > 0:
        values["base_to_novel_rate"] = base_to_novel_rate(label, named, base)
    return values


def course_values(
    matrix: FloatArray, accuracies: tuple[float, ...], stream: StreamInfo
) -> dict[str, float]:
    """Return what all experiences so far say together; NaN where meaningless."""
    after = len(accuracies) - 1
    values = {"A_avg_inc": average_incremental_accuracy(accuracies)}
    if after > 0:
        values["performance_drop"] = performance_drop(accuracies)
    for index, value in enumerate(matrix[after, : after + 1].tolist()):
        values[f"accuracy_by_experience/{index:02d}"] = value
    if not stream.one_test_part:  # else no sample tells one experience from another
        values.update(_values_by_experience(matrix, after))
    if _is_continual_discovery(stream, after):
        values["M_f"] = happy_forgetting(matrix, after)
        values["M_d"] = happy_discovery(matrix, after)
    return values


def _is_continual_discovery(stream: StreamInfo, after: int) -> bool:
    """Return whether labels came first and only without labels since, as M_f and M_d presume."""
    first, *stages = stream.experiences[: after + 1]
    labels_only_first = not first.unlabelled and not any(stage.labelled for stage in stages)
    return labels_only_first and bool(stages) and not stream.one_test_part


def _values_by_experience(matrix: FloatArray, after: int) -> dict[str, float]:
    values = {
        "A_avg_inc_by_experience": average_incremental_accuracy_by_experience(matrix, after),
        "forgetting": forgetting(matrix, after),
        "bwt": backward_transfer(matrix, after),
    }
    for index, value in enumerate(forgetting_by_experience(matrix, after).tolist()):
        values[f"forgetting_by_experience/{index:02d}"] = value
    return values


def clustering_values(predictions: Predictions) -> dict[str, float]:
    """Return how well clusters and classes agree, without naming the clusters."""
    label, clusters = predictions.label, predictions.predicted
    return {
        "nmi": nmi(label, clusters),
        "ari": ari(label, clusters),
        "purity": purity(label, clusters),
        "clusters": float(np.unique(clusters).size),
    }
