from __future__ import annotations

import json
import logging
from dataclasses import replace

import numpy as np
import pytest

from cilsim.errors import CheckpointError, RunFailed
from cilsim.results import changes as changes_module
from cilsim.results.seed_folder import SeedFolder

GROWING = ("metrics.jsonl", "accuracy_matrix.csv")


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
        "SHA256SUMS",
        "accuracy_matrix.csv",
        "ledger.json",
        "metrics.jsonl",
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
    assert first.pop("SHA256SUMS") != second.pop("SHA256SUMS")  # the sum of the ledger
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


@pytest.mark.parametrize("name", ["predictions/experience-00.npz", "metrics.jsonl"])
def test_whether_a_run_with_a_damaged_file_is_finished_is_not_answered(written, name):
    path = written.path / name
    path.write_bytes(b"")
    assert damage(lambda: written.finished(2)) == (
        f"{path}: is damaged: its checksum does not match the one in SHA256SUMS"
    )


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


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("metrics.jsonl", SeedFolder.read_metrics),
        ("accuracy_matrix.csv", SeedFolder.read_accuracy_matrix),
        ("ledger.json", SeedFolder.read_ledger),
    ],
)
def test_a_file_that_was_changed_or_removed_is_named(written, name, read):
    path = written.path / name
    path.write_bytes(path.read_bytes() + b" ")
    assert damage(lambda: read(written)) == (
        f"{path}: is damaged: its checksum does not match the one in SHA256SUMS"
    )
    path.unlink()
    assert damage(lambda: read(written)) == f"{path}: is missing, though listed in SHA256SUMS"


@pytest.mark.parametrize("line", ["{", "[]", '{"experience": 1}', '{"experience": 1, "name": "a"}'])
def test_a_line_that_is_no_metric_is_named(written, line):
    path = written.path / "metrics.jsonl"
    text = path.read_text().splitlines()[0] + "\n" + line + "\n"
    written.files.write("metrics.jsonl", text.encode())
    assert damage(written.read_metrics) == f"{path}: is damaged: line 2 is not a metric"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("after,0\n0,1.0\n1,1.0\n", "it is not a square matrix"),
        ("after,0,1\n0,0.75,\n1,0.5\n", "it is not a square matrix"),
        ("after,0\n0,x\n", "it is not a matrix of numbers"),
    ],
)
def test_a_text_that_is_no_matrix_is_named(written, text, what):
    written.files.write("accuracy_matrix.csv", text.encode())
    path = written.path / "accuracy_matrix.csv"
    assert damage(written.read_accuracy_matrix) == f"{path}: is damaged: {what}"


def test_the_matrix_of_an_unfinished_run_has_the_rows_measured_so_far(folder, evaluations, stream):
    folder.write_evaluation(evaluations[:1], stream)
    assert (folder.path / "accuracy_matrix.csv").read_text() == "after,0,1\n0,0.75,\n"
    expected = np.array([[0.75, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(folder.read_accuracy_matrix(), expected)


def test_an_experience_only_adds_to_metrics_and_matrix(folder, evaluations, stream, monkeypatch):
    folder.write_evaluation(evaluations[:1], stream)
    replaced = []
    monkeypatch.setattr(
        changes_module, "replace_file", lambda path, content: replaced.append(path.name)
    )
    before = {name: (folder.path / name).stat().st_ino for name in GROWING}
    folder.write_evaluation(evaluations, stream)
    assert sorted(replaced) == ["experience-01.npz", "ledger.json"]
    assert {name: (folder.path / name).stat().st_ino for name in GROWING} == before


def test_half_a_line_of_a_killed_process_is_cut_off(folder, evaluations, stream):
    folder.write_evaluation(evaluations[:1], stream)
    with (folder.path / "metrics.jsonl").open("a") as file:
        file.write('{"experience": 1, "na')
    folder.write_evaluation(evaluations, stream)
    whole = SeedFolder(folder.path.with_name("whole"), "teen", 0)
    whole.write_evaluation(evaluations, stream)
    assert (folder.path / "metrics.jsonl").read_bytes() == (
        whole.path / "metrics.jsonl"
    ).read_bytes()


def test_files_that_are_as_they_should_be_are_left_alone(written, evaluations, stream):
    def times():
        return {path: path.stat().st_mtime_ns for path in written.path.rglob("*")}

    before = times()
    again = SeedFolder(written.path, "teen", 0)
    again.write_evaluation(evaluations, stream, parameters={"backbone": 10})
    assert times() == before


def test_history_ends_where_predictions_of_unlabelled_samples_are_damaged(
    folder, evaluations, discovery_stream
):
    both = [replace(one, unlabelled=one.predictions) for one in evaluations]
    folder.write_evaluation(both, discovery_stream)
    assert len(folder.read_intact_history(discovery_stream)) == 2
    for experience in (1, 0):
        path = folder.path / "predictions" / "unlabelled" / f"experience-0{experience}.npz"
        path.write_bytes(b"")
        assert len(folder.read_intact_history(discovery_stream)) == experience
    (folder.path / "SHA256SUMS").unlink()
    assert folder.read_intact_history(discovery_stream) == []


def test_history_ends_at_the_first_damaged_file_which_is_named(written, stream, caplog):
    path = written.path / "predictions" / "experience-01.npz"
    path.write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        [first] = written.read_intact_history(stream)
    assert (first.test.experience, first.unlabelled) == (0, None)
    assert caplog.messages == [
        f"{path}: is damaged: its checksum does not match the one in SHA256SUMS; "
        "from there on, everything is computed again"
    ]


def test_sealing_lists_what_reporters_wrote_and_forgets_what_they_removed(written):
    old, new = written.path / "events.out.tfevents.1", written.path / "events.out.tfevents.2"
    old.write_bytes(b"old")
    written.seal()
    old.unlink()
    new.write_bytes(b"new")
    (written.path / "training_scalars.jsonl").touch()
    written.seal()
    listed = written.files.sums.listed
    assert old.name not in listed
    assert {new.name, "training_scalars.jsonl"} <= set(listed)


def test_a_file_that_cannot_be_read_is_named(written):
    path = written.path / "metrics.jsonl"
    path.unlink()
    path.mkdir()
    assert damage(written.read_metrics) == f"{path}: cannot be read: Is a directory"


def test_checkpoints_lie_beside_the_metrics(folder):
    assert folder.checkpoints == folder.path / "checkpoints"
