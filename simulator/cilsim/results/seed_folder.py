"""The folder of one run: metrics, accuracy matrix, predictions, ledger, checkpoints.

All files but the ledger are byte-equal between equal runs.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cilsim.errors import CheckpointError, RunFailed
from cilsim.records import Evaluation, FloatArray, Predictions, StreamInfo
from cilsim.results.atomic import write_bytes, write_json, write_text
from cilsim.results.predictions import Predicted, PredictionFolder
from cilsim.results.reading import damaged, read_object, read_text
from cilsim.results.stream_file import STREAM, write_stream

logger = logging.getLogger(__name__)

METRICS = "metrics.jsonl"
ACCURACY_MATRIX = "accuracy_matrix.csv"
LEDGER = "ledger.json"


class SeedFolder:
    """`<run folder>/<strategy label>/seed-<n>`.

    Attributes:
        path: the folder; made when something is first written.
        strategy: the strategy's label.
        seed: the training seed.
    """

    def __init__(self, path: Path, strategy: str, seed: int) -> None:
        self.path = path
        self.strategy = strategy
        self.seed = seed
        self._predictions = PredictionFolder(path / "predictions")
        self._unlabelled = PredictionFolder(path / "predictions" / "unlabelled")

    @property
    def checkpoints(self) -> Path:
        """Where `cilsim.results.checkpoint.Checkpoints` keeps states."""
        return self.path / "checkpoints"

    def write_evaluation(
        self,
        evaluations: Sequence[Evaluation],
        stream: StreamInfo,
        parameters: Mapping[str, int] | None = None,
    ) -> None:
        """Write all that is known after the last of `evaluations`, which begin at experience 0.

        Args:
            evaluations: of all experiences so far.
            stream: facts about the stream.
            parameters: numbers of parameters by part of the model, for the ledger.

        Raises:
            RunFailed: a metric is not a finite number.
            RunFolderError: the folder cannot be written.
        """
        metrics = "".join(_metric_lines(evaluations))
        if not (self.path / STREAM).exists():
            write_stream(self.path, stream)
        self._predictions.write([evaluation.predictions for evaluation in evaluations], stream)
        if stream.discovery:
            self._unlabelled.write([_of_unlabelled(known) for known in evaluations], stream)
        write_text(self.path / ACCURACY_MATRIX, _csv(evaluations[-1].accuracy_matrix))
        write_json(self.path / LEDGER, _ledger(evaluations, parameters or {}))
        write_text(self.path / METRICS, metrics)

    def write_cluster_picture(self, experience: int, png: bytes) -> None:
        """Keep a picture of what an experience discovered beside the results.

        Raises:
            RunFolderError: the folder cannot be written.
        """
        write_bytes(cluster_picture_path(self.path, experience), png)

    def read_predictions(self) -> list[Predictions]:
        """Return what was predicted after each experience so far.

        Raises:
            CheckpointError: a file is missing or damaged; the message names it.
        """
        return self._predictions.read()

    def read_history(self) -> list[Predicted]:
        """Return what was predicted after each experience so far, unlabelled samples included.

        Raises:
            CheckpointError: a file is missing or damaged; the message names it.
        """
        tests = self._predictions.read()
        stored = self._unlabelled.read()
        unlabelled = [part if len(part.index) else None for part in stored]
        if not unlabelled:
            return [Predicted(test) for test in tests]
        return [Predicted(*both) for both in zip(tests, unlabelled, strict=False)]

    def read_metrics(self) -> dict[int, dict[str, float]]:
        """Return the metrics by experience and name; nothing before the first experience.

        Raises:
            CheckpointError: the file is damaged.
        """
        path = self.path / METRICS
        found: dict[int, dict[str, float]] = {}
        for number, line in enumerate((read_text(path) or "").splitlines(), start=1):
            try:
                row = json.loads(line)
                values = found.setdefault(int(row["experience"]), {})
                values[str(row["name"])] = float(row["value"])
            except (ValueError, TypeError, KeyError) as error:
                raise damaged(path, f"line {number} is not a metric") from error
        return found

    def read_accuracy_matrix(self) -> FloatArray | None:
        """Return (T, T) R, NaN where not measured, or None before the first experience.

        Raises:
            CheckpointError: the file is damaged.
        """
        path = self.path / ACCURACY_MATRIX
        lines = (read_text(path) or "").splitlines()
        if not lines:
            return None
        rows = [line.split(",")[1:] for line in lines]
        try:
            matrix = np.array([[float(cell or "nan") for cell in row] for row in rows[1:]])
        except ValueError as error:
            raise damaged(path, "it is not a matrix of numbers") from error
        if matrix.shape != (len(rows[0]), len(rows[0])):
            raise damaged(path, "it is not a square matrix")
        return matrix

    def read_ledger(self) -> dict[str, Any]:
        """Return bytes kept, seconds and parameters; nothing before the first experience.

        Raises:
            CheckpointError: the file is damaged.
        """
        return read_object(self.path / LEDGER) or {}

    def finished(self, total: int) -> bool:
        """Return whether the results of all `total` experiences are here and undamaged."""
        try:
            metrics, predictions = self.read_metrics(), self.read_predictions()
        except CheckpointError as error:
            logger.warning("%s", error)
            return False
        return sorted(metrics) == list(range(total)) and len(predictions) == total


def cluster_picture_path(folder: Path, experience: int) -> Path:
    """Return where the picture of what an experience discovered lies in the folder of a run."""
    return folder / "pictures" / f"clusters-{experience:02d}.png"


def _of_unlabelled(evaluation: Evaluation) -> Predictions:
    """Return the predictions of unlabelled samples, empty ones where there are none."""
    if evaluation.unlabelled is not None:
        return evaluation.unlabelled
    nothing = np.empty(0, dtype=np.int64)
    return Predictions(evaluation.experience, nothing, nothing, nothing)


def _metric_lines(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    for evaluation in evaluations:
        measured = evaluation.accuracy_matrix[evaluation.experience]
        by_experience = {
            f"accuracy_by_experience/{j:02d}": float(accuracy)
            for j, accuracy in enumerate(measured)
            if not math.isnan(accuracy)
        }
        for name, value in sorted({**by_experience, **evaluation.values}.items()):
            if not math.isfinite(value):
                raise RunFailed(
                    f"metric '{name}' after experience {evaluation.experience} is {value}; "
                    f"a metric without a meaning is left out"
                )
            row = {"experience": evaluation.experience, "name": name, "value": float(value)}
            yield json.dumps(row) + "\n"


def _csv(matrix_TT: FloatArray) -> str:
    lines = [",".join(["after", *map(str, range(len(matrix_TT)))])]
    for after, row in enumerate(matrix_TT.tolist()):
        cells = ("" if math.isnan(accuracy) else repr(accuracy) for accuracy in row)
        lines.append(",".join([str(after), *cells]))
    return "\n".join(lines) + "\n"


def _ledger(evaluations: Sequence[Evaluation], parameters: Mapping[str, int]) -> dict[str, Any]:
    kinds = sorted({kind for evaluation in evaluations for kind in evaluation.seconds})
    return {
        "parameters": dict(parameters),
        "seconds": {
            kind: math.fsum(evaluation.seconds.get(kind, 0.0) for evaluation in evaluations)
            for kind in kinds
        },
        "experiences": [
            {
                "experience": evaluation.experience,
                "bytes_kept": dict(sorted(evaluation.kept.items())),
                "seconds": dict(sorted(evaluation.seconds.items())),
            }
            for evaluation in evaluations
        ],
    }
