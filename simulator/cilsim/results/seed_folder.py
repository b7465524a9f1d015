"""The folder of one run: metrics, accuracy matrix, predictions, ledger, checkpoints.

All files but the ledger are byte-equal between equal runs. What an experience adds is appended, so
that a long run writes each line once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cilsim.errors import CheckpointError
from cilsim.records import Evaluation, FloatArray, Predictions, StreamInfo
from cilsim.results.atomic import json_bytes
from cilsim.results.changes import Changes
from cilsim.results.predictions import Predicted, PredictionFolder
from cilsim.results.reading import as_object, as_text
from cilsim.results.run_texts import (
    ledger,
    matrix_rows,
    metric_lines,
    parse_matrix,
    parse_metrics,
)
from cilsim.results.sealed_folder import EVENT_FILES, SealedFolder
from cilsim.results.stream_file import STREAM, stream_bytes

logger = logging.getLogger(__name__)

METRICS = "metrics.jsonl"
ACCURACY_MATRIX = "accuracy_matrix.csv"
LEDGER = "ledger.json"
TRAINING_SCALARS = "training_scalars.jsonl"
PREDICTIONS = "predictions"
UNLABELLED = "predictions/unlabelled"
CHECKPOINTS = "checkpoints"
EXAMPLES = "pictures/examples.png"
"""Test samples with right and wrong predictions after the last experience."""


class SeedFolder:
    """`<run folder>/<strategy label>/seed-<n>`.

    Attributes:
        path: the folder; made when something is first written.
        strategy: the strategy's label.
        seed: the training seed.
        files: the files with their checksums.
    """

    def __init__(self, path: Path, strategy: str, seed: int) -> None:
        self.path = path
        self.strategy = strategy
        self.seed = seed
        self.files = SealedFolder(path)
        self._predictions = PredictionFolder(self.files, PREDICTIONS)
        self._unlabelled = PredictionFolder(self.files, UNLABELLED)
        self._experiences = 0

    @property
    def checkpoints(self) -> Path:
        """Where `cilsim.results.checkpoint.Checkpoints` keeps states."""
        return self.path / CHECKPOINTS

    def write_evaluation(
        self,
        evaluations: Sequence[Evaluation],
        stream: StreamInfo,
        parameters: Mapping[str, int] | None = None,
        pictures: Mapping[str, bytes] | None = None,
    ) -> None:
        """Write all that is known after the last of `evaluations`, which begin at experience 0.

        Args:
            evaluations: of all experiences so far.
            stream: facts about the stream.
            parameters: numbers of parameters by part of the model, for the ledger.
            pictures: PNG files to keep beside the results, by `clusters_file` or `EXAMPLES`.

        Raises:
            RunFailed: a metric is not a finite number.
            RunFolderError: the folder cannot be written.
        """
        with self.files.changes() as changes:
            self._collect(changes, evaluations, stream)
            changes.write(LEDGER, json_bytes(ledger(evaluations, parameters or {})))
            for name, png in (pictures or {}).items():
                changes.write(name, png)
            if (self.path / TRAINING_SCALARS).is_file():
                changes.adopt_beginning(TRAINING_SCALARS)
        self._experiences = len(evaluations)

    def _collect(
        self, changes: Changes, evaluations: Sequence[Evaluation], stream: StreamInfo
    ) -> None:
        last = evaluations[-1]
        goes_on = 0 < self._experiences == last.experience
        if goes_on:
            changes.append(METRICS, metric_lines(last).encode())
            rows = matrix_rows(last.accuracy_matrix, last.experience, last.experience)
            changes.append(ACCURACY_MATRIX, rows.encode())
        else:
            lines = "".join(map(metric_lines, evaluations))
            changes.write(METRICS, lines.encode(), grows=True)
            rows = matrix_rows(last.accuracy_matrix, 0, last.experience)
            changes.write(ACCURACY_MATRIX, rows.encode(), grows=True)
            changes.write(STREAM, stream_bytes(stream))
        after = last.experience
        self._predictions.store(changes, after, lambda i: evaluations[i].predictions, stream)
        if stream.discovery:
            self._unlabelled.store(changes, after, lambda i: _of_unlabelled(evaluations[i]), stream)

    def seal(self) -> None:
        """List what reporters have written, now that the run is finished.

        Raises:
            RunFolderError: the folder cannot be written.
        """
        paths = [*self.path.glob(EVENT_FILES), *self.path.glob(TRAINING_SCALARS)]
        self.files.adopt_all(path.name for path in paths)

    def read_predictions(self) -> list[Predictions]:
        """Return what was predicted after each experience so far.

        Raises:
            CheckpointError: a file is missing or damaged; the message names it.
        """
        return self._predictions.read()

    def read_predicted(self, experience: int) -> Predicted:
        """Return what was predicted after one experience, unlabelled samples included.

        Raises:
            CheckpointError: a file is missing or damaged; the message names it.
        """
        test = self._predictions.read_one(experience)
        if experience >= self._unlabelled.count():
            return Predicted(test)
        unlabelled = self._unlabelled.read_one(experience)
        return Predicted(test, unlabelled if len(unlabelled.index) else None)

    def read_history(self) -> list[Predicted]:
        """Return what was predicted after each experience so far, unlabelled samples included.

        Raises:
            CheckpointError: a file is missing or damaged; the message names it.
        """
        tests, unlabelled = self._predictions.read(), self._unlabelled.read()
        return _pairs(tests, unlabelled) if unlabelled else [Predicted(test) for test in tests]

    def read_intact_history(self, stream: StreamInfo) -> list[Predicted]:
        """Return what was predicted up to the first file that is missing or damaged.

        That file is named in a warning.
        """
        tests = self._predictions.read_intact()
        if not stream.discovery:
            return [Predicted(test) for test in tests]
        return _pairs(tests, self._unlabelled.read_intact())

    def read_metrics(self) -> dict[int, dict[str, float]]:
        """Return the metrics by experience and name; nothing before the first experience.

        Raises:
            CheckpointError: the file is missing or damaged.
        """
        text = self._read_text(METRICS)
        return {} if text is None else parse_metrics(self.path / METRICS, text)

    def read_accuracy_matrix(self) -> FloatArray | None:
        """Return (T, T) R, NaN where not measured, or None before the first experience.

        Raises:
            CheckpointError: the file is missing or damaged.
        """
        text = self._read_text(ACCURACY_MATRIX)
        return None if text is None else parse_matrix(self.path / ACCURACY_MATRIX, text)

    def read_ledger(self) -> dict[str, Any]:
        """Return bytes kept, seconds and parameters; nothing before the first experience.

        Raises:
            CheckpointError: the file is missing or damaged.
        """
        content = self.files.read(LEDGER)
        return {} if content is None else as_object(self.path / LEDGER, content)

    def read_picture(self, name: str) -> bytes | None:
        """Return a PNG file by `clusters_file` or `EXAMPLES`, or None if there never was one.

        Raises:
            CheckpointError: the file is missing or damaged.
        """
        return self.files.read(name)

    def has_intact_picture(self, name: str) -> bool:
        """Return False if a picture, by `clusters_file` or `EXAMPLES`, is missing or damaged.

        A missing or damaged one is named in a warning; True if there never was any.
        """
        try:
            self.read_picture(name)
        except CheckpointError as error:
            logger.warning("%s; it is drawn again", error)
            return False
        return True

    def finished(self, total: int) -> bool:
        """Return whether the results of all `total` experiences are here.

        Raises:
            CheckpointError: a file is missing or damaged; the message names it.
        """
        metrics, predictions = self.read_metrics(), self.read_predictions()
        return sorted(metrics) == list(range(total)) and len(predictions) == total

    def _read_text(self, name: str) -> str | None:
        content = self.files.read(name)
        return None if content is None else as_text(self.path / name, content)


def clusters_file(experience: int) -> str:
    """Return where the picture of what an experience discovered lies in the folder of a run."""
    return f"pictures/clusters-{experience:02d}.png"


def _pairs(tests: list[Predictions], unlabelled: list[Predictions]) -> list[Predicted]:
    """Return what was predicted after the experiences of which both parts are there."""
    parts = [part if len(part.index) else None for part in unlabelled]
    return [Predicted(*both) for both in zip(tests, parts, strict=False)]


def _of_unlabelled(evaluation: Evaluation) -> Predictions:
    """Return the predictions of unlabelled samples, empty ones where there are none."""
    if evaluation.unlabelled is not None:
        return evaluation.unlabelled
    nothing = np.empty(0, dtype=np.int64)
    return Predictions(evaluation.experience, nothing, nothing, nothing)
