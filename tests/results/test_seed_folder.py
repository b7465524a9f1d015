from __future__ import annotations

import json
import logging
from dataclasses import replace

import numpy as np
import pytest

from cilsim.errors import CheckpointError, RunFailed
from cilsim.results.seed_folder import SeedFolder


@pytest.fixture
def folder(tmp_path):
    return SeedFolder(tmp_path / "teen" / "seed-0", "teen", 0)


@pytest.fixture
def written(folder, evaluations, stream):
    folder.write_evaluation(evaluations, stream, parameters={"backbone": 10})
    return folder


def damage(function):
    with pytest.raises(CheckpointError) as caught:
        function()
    return str(caught.value)


def test_metrics_are_one_line_each_sorted_by_experience_and_name(written):
    assert (written.path / "metrics.jsonl").read_text().splitlines() == [
        '{"experience": 0, "name": "A_all", "value": 0.75}',
        '{"experience": 0, "name": "accuracy_by_experience/00", "value": 0.75}',
        '{"experience": 1, "name": "A_all", "value": 0.1}',
        '{"experience": 1, "name": "accuracy_by_experience/00", "value": 0.5}',
        '{"experience": 1, "name": "accuracy_by_experience/01", "value": 0.3333333333333333}',
        '{"experience": 1, "name": "forgetting", "value": 0.25}',
    ]


def test_metrics_come_back_exactly(written):
    assert written.read_metrics() == {
        0: {"A_all": 0.75, "accuracy_by_experience/00": 0.75},
        1: {
            "A_all": 0.1,
            "accuracy_by_experience/00": 0.5,
            "accuracy_by_experience/01": 1 / 3,
            "forgetting": 0.25,
        },
    }


def test_the_matrix_has_empty_cells_where_nothing_was_measured(written):
    assert (written.path / "accuracy_matrix.csv").read_text() == (
        "after,0,1\n0,0.75,\n1,0.5,0.3333333333333333\n"
    )


def test_the_matrix_comes_back_exactly(written):
    expected = np.array([[0.75, np.nan], [0.5, 1 / 3]])
    np.testing.assert_array_equal(written.read_accuracy_matrix(), expected)


def test_the_ledger_holds_bytes_seconds_and_parameters(written):
    ledger = {
        "parameters": {"backbone": 10},
        "seconds": {"evaluate": 0.75, "train": 3.0},
        "experiences": [
            {
                "experience": 0,
                "bytes_kept": {"prototypes": 16},
                "seconds": {"evaluate": 0.5, "train": 2.0},
            },
            {
                "experience": 1,
                "bytes_kept": {"exemplars": 100, "prototypes": 24},
                "seconds": {"evaluate": 0.25, "train": 1.0},
            },
        ],
    }
    assert json.loads((written.path / "ledger.json").read_text()) == ledger
    assert written.read_ledger() == ledger


def test_predictions_come_back(written, evaluations):
    found = [one.predicted.tolist() for one in written.read_predictions()]
    assert found == [evaluation.predictions.predicted.tolist() for evaluation in evaluations]


def test_the_folder_holds_these_files(written):
    files = (path for path in written.path.rglob("*") if path.is_file())
    assert sorted(str(path.relative_to(written.path)) for path in files) == [
        "accuracy_matrix.csv",
        "ledger.json",
        "metrics.jsonl",
        "predictions/checksums.json",
        "predictions/experience-00.npz",
        "predictions/experience-01.npz",
        "stream.json",
    ]


def test_all_files_but_the_ledger_are_equal_whether_written_at_once_or_step_by_step(
    tmp_path, evaluations, stream
):
    at_once = SeedFolder(tmp_path / "a", "teen", 0)
    at_once.write_evaluation(evaluations, stream)
    slower = [replace(one, seconds={"train": 9.0, "evaluate": 9.0}) for one in evaluations]
    stepwise = SeedFolder(tmp_path / "b", "teen", 0)
    for done in (1, 2):
        stepwise.write_evaluation(slower[:done], stream)

    def contents(folder):
        files = (path for path in folder.path.rglob("*") if path.is_file())
        return {str(path.relative_to(folder.path)): path.read_bytes() for path in files}

    first, second = contents(at_once), contents(stepwise)
    assert first.pop("ledger.json") != second.pop("ledger.json")
    assert first == second


def test_nothing_is_there_before_the_first_experience(folder):
    assert folder.read_metrics() == {}
    assert folder.read_accuracy_matrix() is None
    assert folder.read_ledger() == {}
    assert folder.read_predictions() == []
    assert not folder.finished(1)


def test_a_run_is_finished_when_all_experiences_are_there(folder, evaluations, stream):
    folder.write_evaluation(evaluations[:1], stream)
    assert not folder.finished(2)
    folder.write_evaluation(evaluations, stream)
    assert folder.finished(2)
    assert not folder.finished(3)


def test_a_run_with_a_damaged_file_is_not_finished_and_the_file_is_named(written, caplog):
    path = written.path / "predictions" / "experience-00.npz"
    path.write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        assert not written.finished(2)
    assert caplog.messages == [
        f"{path}: is damaged: its checksum does not match the one in checksums.json"
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_metric_that_is_no_number_is_refused_before_anything_is_written(
    folder, evaluations, stream, value
):
    bad = replace(evaluations[1], values={"A_all": value})
    with pytest.raises(RunFailed) as caught:
        folder.write_evaluation([evaluations[0], bad], stream)
    assert str(caught.value) == (
        f"metric 'A_all' after experience 1 is {value}; a metric without a meaning is left out"
    )
    assert not folder.path.exists()


@pytest.mark.parametrize("line", ["{", "[]", '{"experience": 1}', '{"experience": 1, "name": "a"}'])
def test_a_damaged_line_of_metrics_is_named(written, line):
    path = written.path / "metrics.jsonl"
    path.write_text(path.read_text().splitlines()[0] + "\n" + line + "\n")
    assert damage(written.read_metrics) == f"{path}: is damaged: line 2 is not a metric"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("after,0,1\n0,0.75,\n", "it is not a square matrix"),
        ("after,0,1\n0,0.75,\n1,0.5\n", "it is not a matrix of numbers"),
        ("after,0\n0,x\n", "it is not a matrix of numbers"),
        ("after,0\n", "it is not a square matrix"),
    ],
)
def test_a_damaged_matrix_is_named(written, text, what):
    path = written.path / "accuracy_matrix.csv"
    path.write_text(text)
    assert damage(written.read_accuracy_matrix) == f"{path}: is damaged: {what}"


def test_a_damaged_ledger_is_named(written):
    path = written.path / "ledger.json"
    path.write_text("[]")
    assert damage(written.read_ledger) == f"{path}: is damaged: it is not a JSON object"


def test_a_file_that_cannot_be_read_is_named(written):
    path = written.path / "metrics.jsonl"
    path.unlink()
    path.mkdir()
    assert damage(written.read_metrics) == f"{path}: cannot be read: Is a directory"


def test_checkpoints_lie_beside_the_metrics(folder):
    assert folder.checkpoints == folder.path / "checkpoints"
