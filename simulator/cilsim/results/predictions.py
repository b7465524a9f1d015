"""Stored predictions: one `.npz` per experience, byte-equal between equal runs, checksummed."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from cilsim.errors import CheckpointError
from cilsim.records import IntArray, Predictions, StreamInfo
from cilsim.results.atomic import write_bytes, write_json
from cilsim.results.reading import damaged, read_bytes, read_object

CHECKSUMS = "checksums.json"


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
    """The folder `predictions` of a seed folder: `experience-NN.npz` and `checksums.json`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, predictions: Sequence[Predictions], stream: StreamInfo) -> None:
        """Write the predictions of experiences 0, 1, ...; only the last and unknown ones.

        Files of later experiences, left by a run that went further before it was resumed from an
        older checkpoint, are removed.

        Raises:
            RunFolderError: the folder cannot be written.
        """
        known = self._known_checksums()
        checksums = {}
        for record in predictions:
            name = file_name(record.experience)
            if record is predictions[-1] or name not in known:
                content = npz_bytes(record, stream)
                checksums[name] = sha256(content).hexdigest()
                write_bytes(self.path / name, content)
            else:
                checksums[name] = known[name]
        write_json(self.path / CHECKSUMS, checksums)
        for path in self.path.glob("experience-*.npz"):
            if path.name not in checksums:
                path.unlink(missing_ok=True)

    def read(self) -> list[Predictions]:
        """Return what was predicted after each experience, or nothing before the first.

        Raises:
            CheckpointError: a file is missing or damaged; the message names it.
        """
        checksums = self._checksums()
        return [self._read_file(experience, checksums) for experience in range(len(checksums))]

    def _read_file(self, experience: int, checksums: Mapping[str, str]) -> Predictions:
        path = self.path / file_name(experience)
        if path.name not in checksums:
            raise CheckpointError(f"{path}: is not listed in {CHECKSUMS}, though later ones are")
        content = read_bytes(path)
        if content is None:
            raise CheckpointError(f"{path}: is missing, though listed in {CHECKSUMS}")
        if sha256(content).hexdigest() != checksums[path.name]:
            raise damaged(path, f"its checksum does not match the one in {CHECKSUMS}")
        with np.load(BytesIO(content), allow_pickle=False) as arrays:
            return Predictions(experience, arrays["index"], arrays["label"], arrays["predicted"])

    def _checksums(self) -> Mapping[str, str]:
        return read_object(self.path / CHECKSUMS) or {}

    def _known_checksums(self) -> Mapping[str, str]:
        """Return what need not be written again: nothing if that is in doubt."""
        try:
            checksums = self._checksums()
        except CheckpointError:
            return {}
        return {name: value for name, value in checksums.items() if (self.path / name).is_file()}


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
