"""The folder of one run: metrics, accuracy matrix, predictions, ledger, checkpoints.

All files but the ledger are byte-equal between equal runs. What an experience adds is appended, so
that a long run writes each line once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cilsim.records import Evaluation, Predictions, StreamInfo
from cilsim.results.changes import Changes
from cilsim.results.ledger import Ledger
from cilsim.results.run_texts import matrix_rows, metric_lines
from cilsim.results.sealed_folder import EVENT_FILES
from cilsim.results.seed_results import ACCURACY_MATRIX, LEDGER, METRICS, SeedResults
from cilsim.results.stream_file import STREAM, stream_bytes

TRAINING_SCALARS = "training_scalars.jsonl"
CHECKPOINTS = "checkpoints"
EXAMPLES = "pictures/examples.png"
"""Test samples with right and wrong predictions after the last experience."""


class SeedFolder(SeedResults):
    """`<run folder>/<strategy label>/seed-<n>`; the folder is made when something is first written.

    Attributes:
        strategy: the strategy's label.
        seed: the training seed.
    """

    def __init__(self, path: Path, strategy: str, seed: int) -> None:
        super().__init__(path)
        self.strategy = strategy
        self.seed = seed
        self._experiences = 0
        self._ledger = Ledger()

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
            changes.write(LEDGER, self._ledger.content(evaluations, parameters or {}))
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
            self._ledger = Ledger()
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


def clusters_file(experience: int) -> str:
    """Return where the picture of what an experience discovered lies in the folder of a run."""
    return f"pictures/clusters-{experience:02d}.png"


def _of_unlabelled(evaluation: Evaluation) -> Predictions:
    """Return the predictions of unlabelled samples, empty ones where there are none."""
    if evaluation.unlabelled is not None:
        return evaluation.unlabelled
    nothing = np.empty(0, dtype=np.int64)
    return Predictions(evaluation.experience, nothing, nothing, nothing)
