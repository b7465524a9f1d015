from __future__ import annotations

import logging
import time
from io import BytesIO

import numpy as np
import pytest

from cilsim.errors import CheckpointError
from cilsim.results.predictions import PredictionFolder, file_name, npz_bytes
from cilsim.results.sealed_folder import SealedFolder


@pytest.fixture
def predictions(evaluations):
    return [evaluation.predictions for evaluation in evaluations]


@pytest.fixture
def files(tmp_path, predictions, stream):
    files = SealedFolder(tmp_path)
    store(files, predictions, stream)
    return files


def store(files, predictions, stream):
    with files.changes() as changes:
        folder = PredictionFolder(files, "predictions")
        folder.store(changes, len(predictions) - 1, predictions.__getitem__, stream)


def read(files):
    return PredictionFolder(files, "predictions").read()


def message(files):
    with pytest.raises(CheckpointError) as caught:
        read(files)
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


def test_predictions_come_back(files, predictions):
    assert as_lists(read(files)) == as_lists(predictions)


def test_there_is_nothing_before_the_first_experience(tmp_path):
    assert read(SealedFolder(tmp_path)) == []


def test_more_than_a_hundred_experiences_come_back_in_order(tmp_path, predictions, stream):
    many = [type(predictions[0])(i, *[np.array([0])] * 3) for i in range(102)]
    files = SealedFolder(tmp_path)
    store(files, many, stream)
    assert [one.experience for one in read(files)] == list(range(102))


def test_only_the_last_and_unlisted_files_are_written(files, predictions, stream):
    first, last = (files.path / "predictions" / file_name(place) for place in (0, 1))
    first.write_bytes(b"untouched")
    last.write_bytes(b"rewritten")
    store(files, predictions, stream)
    assert first.read_bytes() == b"untouched"
    with files.changes() as changes:
        changes.remove(f"predictions/{first.name}")
    store(files, predictions, stream)
    assert as_lists(read(files)) == as_lists(predictions)


def test_files_of_experiences_that_are_to_be_repeated_are_removed(files, predictions, stream):
    store(files, predictions[:1], stream)
    assert [path.name for path in (files.path / "predictions").iterdir()] == ["experience-00.npz"]
    assert as_lists(read(files)) == as_lists(predictions[:1])


def test_a_missing_file_is_named(files):
    path = files.path / "predictions" / "experience-00.npz"
    path.unlink()
    assert message(files) == f"{path}: is missing, though listed in SHA256SUMS"


def test_a_file_that_lost_its_line_is_named(files):
    with files.changes() as changes:
        changes.disown("predictions/experience-01.npz")
    path = files.path / "predictions" / "experience-01.npz"
    assert message(files) == f"{path}: cannot be checked: SHA256SUMS does not list it"


def test_a_damaged_list_is_named_as_it_may_have_lost_the_last_lines(files):
    path = files.path / "SHA256SUMS"
    path.write_text(path.read_text().replace("experience-01", "experience-0x"))
    assert message(files) == (
        f"{path}: is damaged: the sum in its last line does not match the lines above"
    )


@pytest.mark.parametrize("name", ["experience-00.npz", "experience-01.npz"])
def test_no_flipped_byte_of_a_file_is_ever_used(files, name):
    path = files.path / "predictions" / name
    good = path.read_bytes()
    expected = f"{path}: is damaged: its checksum does not match the one in SHA256SUMS"
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        assert message(files) == expected
    for length in range(len(good)):
        path.write_bytes(good[:length])
        assert message(files) == expected


def test_what_comes_before_a_damaged_file_can_be_used(files, predictions, caplog):
    path = files.path / "predictions" / "experience-01.npz"
    path.write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        intact = PredictionFolder(files, "predictions").read_intact()
    assert as_lists(intact) == as_lists(predictions[:1])
    assert caplog.messages == [
        f"{path}: is damaged: its checksum does not match the one in SHA256SUMS; "
        "from there on, everything is computed again"
    ]
