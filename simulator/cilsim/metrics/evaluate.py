"""All metrics of an experience from stored predictions and facts about the stream.

Nothing else goes in, so that any table can be made again without a new run. `names` says what
each value means. Axis letters: N samples, K classes seen, T experiences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cilsim.metrics.accuracy import accuracy, accuracy_matrix_row, confusion
from cilsim.metrics.clustering import ari, nmi
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
from cilsim.metrics.matching import hungarian_match, relabel
from cilsim.records import FloatArray, IntArray, Predictions, StreamInfo


@dataclass(frozen=True)
class EvaluatedValues:
    """What the predictions up to an experience amount to.

    Attributes:
        experience: after which experience.
        values: metrics by name, fractions; a metric without meaning here is absent.
        accuracy_matrix: (T, T) R so far, NaN where not yet measured.
        confusion: (K, K) counts, rows are true labels, columns (matched) predictions.
        accuracies: A_all after experiences 0..i.
    """

    experience: int
    values: dict[str, float]
    accuracy_matrix: FloatArray
    confusion: IntArray
    accuracies: tuple[float, ...]


def evaluate_predictions(
    history: Sequence[Predictions],
    stream: StreamInfo,
    *,
    previous: EvaluatedValues | None = None,
) -> EvaluatedValues:
    """Return the metrics after the last experience of `history`.

    On a discovery stream, predictions count as cluster ids from the first experience with
    unlabelled samples on: one matching over all samples of an experience ("v2", Vaze et al. 2022)
    names them, and every accuracy comes from that.

    Args:
        history: predictions after experiences 0..i, in order.
        stream: facts about the stream.
        previous: the result for 0..i-1, if at hand: saves matching those predictions again.

    Raises:
        ValueError: `history` is empty, out of order or longer than the stream, or a label is not
            of a class seen.
    """
    _check_history(history, stream)
    if previous is None or previous.experience != len(history) - 2:
        earlier, matrix = _earlier_course(history[:-1], stream)
    else:
        earlier, matrix = previous.accuracies, previous.accuracy_matrix.copy()
    last = history[-1]
    after, label, named = last.experience, last.label, named_predictions(last, stream)
    matrix[after] = _row(label, named, stream)
    accuracies = (*earlier, accuracy(label, named))
    counts = confusion(label, named, stream.experiences[after].seen)
    values = {
        **_accuracy_values(label, named, stream, after),
        **_course_values(matrix, accuracies),
        **(_clustering_values(last) if are_clusters(stream, after) else {}),
    }
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    return EvaluatedValues(after, known, matrix, counts, accuracies)


def recompute(history: Sequence[Predictions], stream: StreamInfo) -> tuple[EvaluatedValues, ...]:
    """Return the metrics after every experience of `history`, in order."""
    results: list[EvaluatedValues] = []
    for end in range(1, len(history) + 1):
        previous = results[-1] if results else None
        results.append(evaluate_predictions(history[:end], stream, previous=previous))
    return tuple(results)


def are_clusters(stream: StreamInfo, after: int) -> bool:
    """Return whether predictions after this experience are cluster ids rather than labels."""
    return any(experience.unlabelled for experience in stream.experiences[: after + 1])


def named_predictions(predictions: Predictions, stream: StreamInfo) -> IntArray:
    """Return (N,) predicted labels, with clusters named by matching; -1 for one without a class."""
    if not are_clusters(stream, predictions.experience):
        return predictions.predicted
    match = hungarian_match(predictions.label, predictions.predicted)
    return relabel(predictions.predicted, match)


def _earlier_course(
    history: Sequence[Predictions], stream: StreamInfo
) -> tuple[tuple[float, ...], FloatArray]:
    """Return A_all after each experience and the accuracy matrix with those rows filled."""
    matrix = np.full((len(stream.experiences),) * 2, np.nan)
    accuracies = []
    for after, predictions in enumerate(history):
        named = named_predictions(predictions, stream)
        matrix[after] = _row(predictions.label, named, stream)
        accuracies.append(accuracy(predictions.label, named))
    return tuple(accuracies), matrix


def _row(label: IntArray, named: IntArray, stream: StreamInfo) -> FloatArray:
    return accuracy_matrix_row(label, named, stream.experience_of_label, len(stream.experiences))


def _accuracy_values(
    label: IntArray, named: IntArray, stream: StreamInfo, after: int
) -> dict[str, float]:
    """Return what the predictions of this experience alone say; NaN where meaningless."""
    base = stream.experiences[0].new_labels
    base_accuracy, novel_accuracy = base_and_novel_accuracy(label, named, base)
    new = stream.experience_of_label[label] == after
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


def _course_values(matrix: FloatArray, accuracies: tuple[float, ...]) -> dict[str, float]:
    """Return what all experiences so far say together; NaN where meaningless."""
    after = len(accuracies) - 1
    values = {
        "A_avg_inc": average_incremental_accuracy(accuracies),
        "A_avg_inc_by_experience": average_incremental_accuracy_by_experience(matrix, after),
        "forgetting": forgetting(matrix, after),
        "bwt": backward_transfer(matrix, after),
    }
    if after > 0:
        values["performance_drop"] = performance_drop(accuracies)
    for index, value in enumerate(matrix[after, : after + 1].tolist()):
        values[f"accuracy_by_experience/{index:02d}"] = value
    for index, value in enumerate(forgetting_by_experience(matrix, after).tolist()):
        values[f"forgetting_by_experience/{index:02d}"] = value
    return values


def _clustering_values(predictions: Predictions) -> dict[str, float]:
    label, clusters = predictions.label, predictions.predicted
    return {
        "nmi": nmi(label, clusters),
        "ari": ari(label, clusters),
        "clusters": float(np.unique(clusters).size),
    }


def _check_history(history: Sequence[Predictions], stream: StreamInfo) -> None:
    found = [predictions.experience for predictions in history]
    if not found or found != list(range(len(found))) or len(found) > len(stream.experiences):
        raise ValueError(
            f"history holds predictions after experiences {found}; "
            f"expected 0, 1, ... in order, of {len(stream.experiences)}"
        )
