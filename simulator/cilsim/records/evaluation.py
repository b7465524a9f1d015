"""What is known after an experience was evaluated.

Axis letters: N samples, K classes seen, T experiences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cilsim.records.arrays import FloatArray, IntArray, seal


@dataclass(frozen=True)
class Predictions:
    """What was predicted after one experience, over the test samples of all classes seen so far.

    Attributes:
        experience: after which experience.
        index: (N,) position of each sample in the data set's test part.
        label: (N,) true label, a position in stream order.
        predicted: (N,) predicted label; for discovery streams a cluster id, matched by the metrics.
    """

    experience: int
    index: IntArray
    label: IntArray
    predicted: IntArray

    def __post_init__(self) -> None:
        seal(self, "index", "label", "predicted")


@dataclass(frozen=True)
class Evaluation:
    """All that is known after an experience was evaluated.

    Attributes:
        experience: after which experience.
        values: every metric by name; accuracies and rates are fractions.
        accuracy_matrix: (T, T) R so far, NaN where not yet measured.
        confusion: (K, K) counts, rows are true labels, columns (matched) predictions.
        predictions: the raw predictions, as stored.
        unlabelled: the predictions of this experience's unlabelled samples (`index` is a position
            in the training part), or None if it has none.
        seconds: wall seconds spent on `train` and `evaluate`.
        kept: bytes that the strategy stores, by kind.
    """

    experience: int
    values: Mapping[str, float]
    accuracy_matrix: FloatArray
    confusion: IntArray
    predictions: Predictions
    seconds: Mapping[str, float]
    kept: Mapping[str, int]
    unlabelled: Predictions | None = None

    def __post_init__(self) -> None:
        seal(self, "values", "accuracy_matrix", "confusion", "seconds", "kept")

    def with_values(self, values: Mapping[str, float]) -> Evaluation:
        """Return the same evaluation with other metrics."""
        return replace(self, values=values)
