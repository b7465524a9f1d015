"""Evaluations of a long run: the arrays of the newest in memory, those of older ones on the disk.

Axis letters: T experiences, K classes seen.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from cilsim.metrics.accuracy import confusion
from cilsim.metrics.named import named_predictions
from cilsim.records import Evaluation, FloatArray, IntArray, Predictions, StreamInfo
from cilsim.results.predictions import Predicted
from cilsim.results.seed_folder import SeedFolder

BYTES_IN_MEMORY = 1 << 24
"""Arrays of evaluations that stay in memory; beyond it the oldest ones are let go."""


@dataclass
class Shelf:
    """Where arrays of older evaluations of one run are found again.

    Attributes:
        folder: where the predictions are stored.
        stream: facts about the stream.
        newest: (T, T) R so far, of the newest evaluation.
    """

    folder: SeedFolder
    stream: StreamInfo
    newest: FloatArray | None = None

    def tidy(self, evaluations: list[Evaluation], limit_bytes: int = BYTES_IN_MEMORY) -> None:
        """Let go of arrays of the oldest of `evaluations` until the others are small enough.

        Those of the newest stay in any case. All must be stored already.
        """
        self.newest = evaluations[-1].accuracy_matrix
        held = [place for place, one in enumerate(evaluations) if not isinstance(one, Shelved)]
        excess = sum(_array_bytes(evaluations[place]) for place in held) - limit_bytes
        for place in held[:-1]:
            if excess > 0:
                excess -= _array_bytes(evaluations[place])
                evaluations[place] = Shelved(evaluations[place], evaluations[place].values, self)

    def matrix(self, after: int) -> FloatArray:
        """Return (T, T) R as it was after an experience."""
        assert self.newest is not None  # set before anything is shelved
        matrix_TT = self.newest.copy()
        matrix_TT[after + 1 :] = np.nan
        return matrix_TT


class Shelved(Evaluation):
    """An evaluation whose arrays are read again, and checked, each time they are asked for.

    Args:
        evaluation: the evaluation.
        values: its metrics.
        shelf: where its arrays are.
    """

    def __init__(self, evaluation: Evaluation, values: Mapping[str, float], shelf: Shelf) -> None:
        own = {
            "experience": evaluation.experience,
            "seconds": evaluation.seconds,
            "kept": evaluation.kept,
            "_names": tuple(map(sys.intern, values)),
            "_numbers": np.array(list(values.values()), dtype=np.float64),
            "_shelf": shelf,
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)

    @property
    def values(self) -> Mapping[str, float]:
        """Every metric by name."""
        return MappingProxyType(dict(zip(self._names, self._numbers.tolist(), strict=True)))

    @property
    def accuracy_matrix(self) -> FloatArray:
        """(T, T) R so far, NaN where not yet measured."""
        return self._shelf.matrix(self.experience)

    @property
    def confusion(self) -> IntArray:
        """(K, K) counts, rows are true labels, columns (matched) predictions."""
        stream, found = self._shelf.stream, self.predictions
        seen = stream.experiences[self.experience].seen
        return confusion(found.label, named_predictions(found, stream), seen)

    @property
    def predictions(self) -> Predictions:
        """The raw predictions, as stored."""
        return self._stored.test

    @property
    def unlabelled(self) -> Predictions | None:
        """The predictions of this experience's unlabelled samples, if it has any."""
        return self._stored.unlabelled

    def with_values(self, values: Mapping[str, float]) -> Evaluation:
        """Return the same evaluation with other metrics."""
        return Shelved(self, values, self._shelf)

    @property
    def _stored(self) -> Predicted:
        return self._shelf.folder.read_predicted(self.experience)

    _names: tuple[str, ...]
    _numbers: FloatArray
    _shelf: Shelf


def _array_bytes(evaluation: Evaluation) -> int:
    records = [one for one in (evaluation.predictions, evaluation.unlabelled) if one is not None]
    arrays = [array for one in records for array in (one.index, one.label, one.predicted)]
    return sum(
        array.nbytes for array in (evaluation.accuracy_matrix, evaluation.confusion, *arrays)
    )
