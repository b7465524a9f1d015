"""Stored predictions: one `.npz` per experience, byte-equal between equal runs."""

from __future__ import annotations

import logging
import re
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from cilsim.errors import CheckpointError
from cilsim.records import IntArray, Predictions, StreamInfo
from cilsim.results.changes import Changes
from cilsim.results.reading import damaged
from cilsim.results.sealed_folder import SealedFolder
from cilsim.results.sums import SUMS

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Predicted:
    """What was predicted after one experience.

    Attributes:
        test: for the test samples of all classes seen.
        unlabelled: for the unlabelled samples of this experience, or None if it has none.
    """

    test: Predictions
    unlabelled: Predictions | None = None


class PredictionFolder:
    """The files `experience-NN.npz` in `predictions` of a seed folder, or in a folder of it.

    Args:
        files: the seed folder.
        name: of the folder within, with `/` between folders.
    """

    def __init__(self, files: SealedFolder, name: str) -> None:
        self._files = files
        self._name = name

    def store(
        self, changes: Changes, last: int, found: Callable[[int], Predictions], stream: StreamInfo
    ) -> None:
        """Let `changes` write predictions: those of experience `last`, and earlier unknown ones.

        Files of later experiences, left by a run that went further before it was resumed from an
        older checkpoint, are removed.

        Args:
            changes: of the seed folder.
            last: the last experience.
            found: returns what was predicted after an experience.
            stream: facts about the stream.
        """
        known = self._stored()
        for experience in range(last + 1):
            if experience == last or experience not in known:
                changes.write(self._file(experience), npz_bytes(found(experience), stream))
        for experience in known:
            if experience > last:
                changes.remove(self._file(experience))

    def read(self) -> list[Predictions]:
        """Return what was predicted after each experience, or nothing before the first.

        Raises:
            CheckpointError: a file is missing or damaged; the message names it.
        """
        if self._files.sums.damage:  # the lines of the last experiences may be lost
            raise damaged(self._files.path / SUMS, self._files.sums.damage)
        unlisted = self._numbers(f"{self._name}/{path.name}" for path in self._paths())
        wanted = {*range(self.count()), *(unlisted - self._stored())}
        return [self.read_one(experience) for experience in sorted(wanted)]

    def read_intact(self) -> list[Predictions]:
        """Return what was predicted up to the first missing or damaged file, which is named."""
        found: list[Predictions] = []
        try:
            for experience in range(self.count()):
                found.append(self.read_one(experience))
        except CheckpointError as error:
            logger.warning("%s; from there on, everything is computed again", error)
        return found

    def read_one(self, experience: int) -> Predictions:
        """Return what was predicted after one experience.

        Raises:
            CheckpointError: the file is missing or damaged; the message names it.
        """
        name = self._file(experience)
        content = self._files.read(name)
        if content is None:
            raise CheckpointError(f"{self._files.path / name}: is missing")
        with np.load(BytesIO(content), allow_pickle=False) as arrays:
            return Predictions(experience, arrays["index"], arrays["label"], arrays["predicted"])

    def count(self) -> int:
        """Return after how many experiences there are predictions, if none is missing."""
        stored = self._stored() - self._numbers(self._files.sums.absent)
        return max(stored, default=-1) + 1

    def _paths(self) -> Iterable[Path]:
        return (self._files.path / self._name).glob("experience-*.npz")

    def _stored(self) -> set[int]:
        """Return the experiences whose predictions are listed."""
        return self._numbers(self._files.sums.listed)

    def _numbers(self, names: Iterable[str]) -> set[int]:
        """Return the experiences of those names that are files of this folder."""
        pattern = re.compile(rf"{re.escape(self._name)}/experience-(\d+)\.npz")
        return {int(found[1]) for name in names if (found := pattern.fullmatch(name))}

    def _file(self, experience: int) -> str:
        return f"{self._name}/{file_name(experience)}"


def file_name(experience: int) -> str:
    """Return the name of the file that holds what was predicted after an experience."""
    return f"experience-{experience:02d}.npz"


def npz_bytes(predictions: Predictions, stream: StreamInfo) -> bytes:
    """Return a compressed `.npz` of int64 arrays, the same bytes for the same predictions.

    It holds `index`, `label`, `predicted` and, unless the stream is one of discovery,
    `label_class_id` and `predicted_class_id` (-1 where the prediction is negative).
    """
    arrays = {
        "index": predictions.index,
        "label": predictions.label,
        "predicted": predictions.predicted,
    }
    if not stream.discovery:
        class_ids = np.array(stream.class_ids, dtype=np.int64)
        arrays["label_class_id"] = class_ids[predictions.label]
        arrays["predicted_class_id"] = _class_ids(class_ids, predictions.predicted)
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            _add_array(archive, name, array)
    return content.getvalue()


def _class_ids(class_ids: IntArray, predicted: IntArray) -> IntArray:
    known = predicted >= 0
    return np.where(known, class_ids[np.where(known, predicted, 0)], -1)


def _add_array(archive: zipfile.ZipFile, name: str, array: Any) -> None:
    entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # otherwise it is the platform's
    file = BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(array, dtype=np.int64), allow_pickle=False)
    archive.writestr(entry, file.getvalue(), compresslevel=1)  # small and quick enough
