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
from cilsim.metrics.experience_values import accuracy_values, clustering_values, course_values
from cilsim.metrics.named import are_clusters, experience_of_sample, named_predictions
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
        return _evaluate(history[-1], stream, *_earlier_course(history[:-1], stream))
    return evaluate_next(history[-1], stream, previous)


def evaluate_next(
    last: Predictions, stream: StreamInfo, previous: EvaluatedValues | None
) -> EvaluatedValues:
    """Return the metrics after one more experience, without the predictions of earlier ones.

    Args:
        last: the predictions after it.
        stream: facts about the stream.
        previous: the result for the experience before; None for experience 0.

    Raises:
        ValueError: it is not the next experience, or a label is not of a class seen.
    """
    expected = 0 if previous is None else previous.experience + 1
    if last.experience != expected:
        raise ValueError(f"predictions are of experience {last.experience}, expected {expected}")
    if previous is None:
        return _evaluate(last, stream, *_earlier_course((), stream))
    return _evaluate(last, stream, previous.accuracies, previous.accuracy_matrix.copy())


def _evaluate(
    last: Predictions, stream: StreamInfo, earlier: tuple[float, ...], matrix: FloatArray
) -> EvaluatedValues:
    """Return the metrics after an experience; its row is filled into `matrix`."""
    after, label, named = last.experience, last.label, named_predictions(last, stream)
    matrix[after] = _row(last, named, stream)
    accuracies = (*earlier, accuracy(label, named))
    counts = confusion(label, named, stream.experiences[after].seen)
    values = {
        **accuracy_values(label, named, stream, after),
        **course_values(matrix, accuracies, stream),
        **(clustering_values(last) if are_clusters(stream, after) else {}),
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


def _earlier_course(
    history: Sequence[Predictions], stream: StreamInfo
) -> tuple[tuple[float, ...], FloatArray]:
    """Return A_all after each experience and the accuracy matrix with those rows filled."""
    matrix = np.full((len(stream.experiences),) * 2, np.nan)
    accuracies = []
    for after, predictions in enumerate(history):
        named = named_predictions(predictions, stream)
        matrix[after] = _row(predictions, named, stream)
        accuracies.append(accuracy(predictions.label, named))
    return tuple(accuracies), matrix


def _row(predictions: Predictions, named: IntArray, stream: StreamInfo) -> FloatArray:
    owner = experience_of_sample(predictions, stream)
    return accuracy_matrix_row(predictions.label, named, owner, len(stream.experiences))


def _check_history(history: Sequence[Predictions], stream: StreamInfo) -> None:
    found = [predictions.experience for predictions in history]
    if not found or found != list(range(len(found))) or len(found) > len(stream.experiences):
        raise ValueError(
            f"history holds predictions after experiences {found}; "
            f"expected 0, 1, ... in order, of {len(stream.experiences)}"
        )
