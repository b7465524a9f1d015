from __future__ import annotations

import time
from io import BytesIO

import numpy as np
import pytest

from cilsim.errors import CheckpointError
from cilsim.results.predictions import PredictionFolder, file_name, npz_bytes


@pytest.fixture
def predictions(evaluations):
    return [evaluation.predictions for evaluation in evaluations]


@pytest.fixture
def folder(tmp_path, predictions, stream):
    folder = PredictionFolder(tmp_path / "predictions")
    folder.write(predictions, stream)
    return folder


def message(folder):
    with pytest.raises(CheckpointError) as caught:
        folder.read()
    return str(caught.value)


def as_lists(predictions):
    return [
        (one.experience, one.index.tolist(), one.label.tolist(), one.predicted.tolist())
        for one in predictions
    ]


def test_a_file_holds_labels_and_class_ids(predictions, stream):
    arrays = np.load(BytesIO(npz_bytes(predictions[1], stream)), allow_pickle=False)
    assert {name: (array.dtype.name, array.tolist()) for name, array in arrays.items()} == {
        "index": ("int64", [0, 1, 2, 3, 4]),
        "label": ("int64", [0, 0, 1, 1, 2]),
        "predicted": ("int64", [0, 2, 1, 0, -1]),
        "label_class_id": ("int64", [7, 7, 5, 5, 9]),
        "predicted_class_id": ("int64", [7, 9, 5, 7, -1]),
    }


def test_discovery_streams_have_no_class_ids(predictions, discovery_stream):
    arrays = np.load(BytesIO(npz_bytes(predictions[1], discovery_stream)), allow_pickle=False)
    assert list(arrays) == ["index", "label", "predicted"]


def test_equal_predictions_make_equal_bytes_at_any_time(predictions, stream, monkeypatch):
    before = npz_bytes(predictions[0], stream)
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2_000_000_000))
    assert npz_bytes(predictions[0], stream) == before


def test_predictions_come_back(folder, predictions):
    assert as_lists(folder.read()) == as_lists(predictions)


def test_there_is_nothing_before_the_first_experience(tmp_path):
    assert PredictionFolder(tmp_path / "predictions").read() == []


def test_more_than_a_hundred_experiences_come_back_in_order(tmp_path, predictions, stream):
    many = [type(predictions[0])(i, *[np.array([0])] * 3) for i in range(102)]
    folder = PredictionFolder(tmp_path)
    folder.write(many, stream)
    assert [one.experience for one in folder.read()] == list(range(102))


def test_only_the_last_and_missing_files_are_written(folder, predictions, stream):
    marks = {0: folder.path / file_name(0), 1: folder.path / file_name(1)}
    marks[0].write_bytes(b"untouched")
    marks[1].write_bytes(b"rewritten")
    folder.write(predictions, stream)
    assert marks[0].read_bytes() == b"untouched"
    marks[0].unlink()
    folder.write(predictions, stream)
    assert as_lists(folder.read()) == as_lists(predictions)


def test_files_of_experiences_that_are_to_be_repeated_are_removed(folder, predictions, stream):
    folder.write(predictions[:1], stream)
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "checksums.json",
        "experience-00.npz",
    ]
    assert as_lists(folder.read()) == as_lists(predictions[:1])


def test_a_missing_file_is_named(folder):
    (folder.path / "experience-00.npz").unlink()
    assert message(folder) == (
        f"{folder.path}/experience-00.npz: is missing, though listed in checksums.json"
    )


def test_a_missing_checksum_is_named(folder):
    path = folder.path / "checksums.json"
    path.write_text(path.read_text().replace("experience-00", "experience-09"))
    assert message(folder) == (
        f"{folder.path}/experience-00.npz: is not listed in checksums.json, though later ones are"
    )


@pytest.mark.parametrize("file", ["experience-00.npz", "experience-01.npz"])
def test_no_flipped_byte_of_a_file_is_ever_used(folder, file):
    path = folder.path / file
    good = path.read_bytes()
    expected = f"{path}: is damaged: its checksum does not match the one in checksums.json"
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        assert message(folder) == expected
    for length in range(len(good)):
        path.write_bytes(good[:length])
        assert message(folder) == expected


def test_no_flipped_byte_of_the_checksums_changes_what_is_read(folder, predictions):
    path = folder.path / "checksums.json"
    good = path.read_bytes()
    refused = 0
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        try:
            assert as_lists(folder.read()) == as_lists(predictions)
        except CheckpointError:
            refused += 1
    assert refused > 0.9 * len(good)  # the rest is white space


def test_damaged_checksums_are_rebuilt_by_the_next_write(folder, predictions, stream):
    path = folder.path / "checksums.json"
    path.write_text("{")
    assert message(folder) == f"{path}: is damaged: it is not a complete JSON text"
    folder.write(predictions, stream)
    assert as_lists(folder.read()) == as_lists(predictions)
