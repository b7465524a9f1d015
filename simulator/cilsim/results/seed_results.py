"""What is stored of one run, as it is read back: every file is compared with its checksum."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from cilsim.errors import CheckpointError
from cilsim.records import FloatArray, Predictions, StreamInfo
from cilsim.results.predictions import Predicted, PredictionFolder
from cilsim.results.reading import as_object, as_text
from cilsim.results.run_texts import parse_matrix, parse_metrics
from cilsim.results.sealed_folder import SealedFolder

logger = logging.getLogger(__name__)

METRICS = "metrics.jsonl"
ACCURACY_MATRIX = "accuracy_matrix.csv"
LEDGER = "ledger.json"
PREDICTIONS = "predictions"
UNLABELLED = "predictions/unlabelled"


class SeedResults:
    """The results in `<run folder>/<strategy label>/seed-<n>`.

    Attributes:
        path: the folder.
        files: the files with their checksums.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = SealedFolder(path)
        self._predictions = PredictionFolder(self.files, PREDICTIONS)
        self._unlabelled = PredictionFolder(self.files, UNLABELLED)

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


def _pairs(tests: list[Predictions], unlabelled: list[Predictions]) -> list[Predicted]:
    """Return what was predicted after the experiences of which both parts are there."""
    parts = [part if len(part.index) else None for part in unlabelled]
    return [Predicted(*both) for both in zip(tests, parts, strict=False)]
