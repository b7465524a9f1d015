from __future__ import annotations

import logging

import pytest
import torch

from cilsim.errors import CheckpointError, RunFolderError
from cilsim.results.checkpoint import Checkpoints


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "checkpoints")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def spoil(folder):
    path = folder / "tensors.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    return f"{path}: is damaged: its checksum does not match the one in state.json"


def save(checkpoints, *indices):
    for index in indices:
        checkpoints.save_experience(index, {"w": torch.full((2,), index)}, {"at": index})


def latest(checkpoints):
    index, state, facts = checkpoints.latest()
    return index, state["w"].tolist(), facts


def test_there_is_nothing_before_the_first(checkpoints):
    assert checkpoints.latest() is None
    assert checkpoints.load_training() is None


def test_the_newest_two_experiences_are_kept(tmp_path, checkpoints):
    save(checkpoints, 0, 1, 2)
    assert names(tmp_path / "checkpoints") == ["experience-01", "experience-02"]
    assert latest(checkpoints) == (2, [2, 2], {"at": 2})


def test_more_than_a_hundred_experiences_are_ordered_by_number(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=3)
    save(checkpoints, 99, 100, 101, 102)
    assert names(tmp_path) == ["experience-100", "experience-101", "experience-102"]


def test_a_damaged_one_is_skipped_with_a_warning_that_names_it(tmp_path, checkpoints, caplog):
    save(checkpoints, 0, 1)
    damage = spoil(tmp_path / "checkpoints" / "experience-01")
    with caplog.at_level(logging.WARNING):
        assert latest(checkpoints) == (0, [0, 0], {"at": 0})
    assert caplog.messages == [f"{damage}; this checkpoint is skipped"]


def test_there_is_nothing_if_all_are_damaged(tmp_path, checkpoints, caplog):
    save(checkpoints, 0, 1)
    for path in (tmp_path / "checkpoints").iterdir():
        (path / "state.json").unlink()
    assert checkpoints.latest() is None
    assert len(caplog.messages) == 2


def test_saving_an_earlier_experience_removes_the_later_ones(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=1)
    save(checkpoints, 5)
    spoil(tmp_path / "experience-05")
    save(checkpoints, 4)
    assert names(tmp_path) == ["experience-04"]
    assert latest(checkpoints) == (4, [4, 4], {"at": 4})


def test_an_experience_can_be_saved_again(tmp_path, checkpoints):
    save(checkpoints, 0, 1)
    checkpoints.save_experience(1, {"w": torch.ones(1)}, {"at": "again"})
    assert latest(checkpoints) == (1, [1.0], {"at": "again"})
    assert names(tmp_path / "checkpoints") == ["experience-00", "experience-01"]


def test_one_that_was_being_replaced_at_the_kill_is_found(tmp_path, checkpoints):
    save(checkpoints, 0, 1)
    folder = tmp_path / "checkpoints"
    (folder / "experience-01").rename(folder / ".old-experience-01")
    assert latest(checkpoints) == (1, [1, 1], {"at": 1})
    save(checkpoints, 2)
    assert names(folder) == ["experience-01", "experience-02"]


def test_stale_temporaries_are_removed_by_the_next_save(tmp_path, checkpoints):
    save(checkpoints, 0)
    (tmp_path / "checkpoints" / ".tmp-1234-experience-01").mkdir()
    save(checkpoints, 1)
    assert names(tmp_path / "checkpoints") == ["experience-00", "experience-01"]


def test_what_a_kill_between_saving_and_removing_left_is_tidied(tmp_path):
    save(Checkpoints(tmp_path, keep=9), 0, 1, 2, 3)
    checkpoints = Checkpoints(tmp_path, keep=2)
    checkpoints.tidy(2)
    assert names(tmp_path) == ["experience-01", "experience-02", "experience-03"]
    checkpoints.tidy(None)
    assert len(names(tmp_path)) == 3


def test_a_state_that_cannot_be_stored_keeps_the_older_ones(checkpoints):
    save(checkpoints, 0)
    with pytest.raises(CheckpointError):
        checkpoints.save_experience(1, {"w": object()}, {})
    assert latest(checkpoints) == (0, [0, 0], {"at": 0})


def test_two_generations_are_kept_inside_a_training(tmp_path, checkpoints):
    for step in (10, 20, 30):
        checkpoints.save_training({"step": step}, {"training": 0})
    assert checkpoints.load_training() == ({"step": 30}, {"training": 0})
    assert names(tmp_path / "checkpoints" / "training-00") == ["01", "02"]


def test_a_damaged_generation_falls_back_to_the_one_before(tmp_path, checkpoints, caplog):
    for step in (10, 20):
        checkpoints.save_training({"step": step}, {})
    checkpoints.wait()
    path = tmp_path / "checkpoints" / "training-00" / "01" / "state.json"
    path.write_text("{")
    assert checkpoints.load_training() == ({"step": 10}, {})
    assert caplog.messages == [
        f"{path}: is damaged: it is not a complete JSON text; this checkpoint is skipped"
    ]
    checkpoints.save_training({"step": 21}, {})
    assert checkpoints.load_training() == ({"step": 21}, {})


def test_what_is_stored_is_the_state_at_the_call(checkpoints):
    weight = torch.zeros(1000)
    for value in range(5):
        weight.fill_(value)
        checkpoints.save_training({"weight": weight}, {})
        weight.fill_(-1)
    state, _ = checkpoints.load_training()
    assert state["weight"].unique().tolist() == [4.0]


def test_the_result_of_a_training_takes_the_place_of_states_inside_it(tmp_path, checkpoints):
    checkpoints.save_training({"step": 10}, {"training": 0})
    checkpoints.finish_training(0, {"steps": 20}, {"training": 0})
    assert checkpoints.load_training() is None
    assert checkpoints.load_finished(0) == ({"steps": 20}, {"training": 0})
    assert checkpoints.load_finished(1) is None
    assert names(tmp_path / "checkpoints" / "training-00") == ["finished-00"]


def test_results_of_a_bounded_number_of_trainings_are_kept(tmp_path, checkpoints):
    for number in range(10):
        checkpoints.finish_training(number, {"number": number}, {})
    checkpoints.wait()
    kept = [f"finished-{number:02d}" for number in range(8)]
    assert names(tmp_path / "checkpoints" / "training-00") == kept


def test_facts_of_trainings_are_found_without_reading_tensors(checkpoints, tmp_path):
    checkpoints.finish_training(0, {"w": torch.zeros(2)}, {"behind": 80})
    checkpoints.save_training({"w": torch.zeros(2)}, {"behind": 93})
    checkpoints.wait()
    for path in (tmp_path / "checkpoints").rglob("*.safetensors"):
        path.unlink()
    assert [facts["behind"] for facts in checkpoints.training_facts()] == [80, 93]


def test_a_stored_experience_forgets_its_trainings(tmp_path, checkpoints):
    checkpoints.finish_training(0, {"steps": 20}, {})
    checkpoints.save_training({"step": 10}, {})
    save(checkpoints, 0)
    assert names(tmp_path / "checkpoints") == ["experience-00"]
    assert checkpoints.load_training() is None
    assert checkpoints.load_finished(0) is None


def test_trainings_of_another_experience_are_forgotten(tmp_path, checkpoints):
    checkpoints.begin_experience(3)
    checkpoints.save_training({"step": 10}, {})
    checkpoints.wait()
    again = Checkpoints(tmp_path / "checkpoints")
    again.begin_experience(2)
    assert names(tmp_path / "checkpoints") == []


def test_the_state_inside_a_training_does_not_disturb_the_experiences(checkpoints):
    save(checkpoints, 0, 1)
    checkpoints.save_training({"step": 10}, {})
    assert latest(checkpoints) == (1, [1, 1], {"at": 1})
    assert checkpoints.load_training() == ({"step": 10}, {})


def test_a_state_that_cannot_be_stored_is_told_at_the_call(checkpoints):
    with pytest.raises(CheckpointError) as raised:
        checkpoints.save_training({"w": object()}, {})
    assert str(raised.value) == (
        "state['w']: object cannot be stored; tensors, arrays, numbers, text, booleans, None, "
        "lists, tuples and dictionaries can"
    )


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path):
    (tmp_path / "checkpoints").write_text("a file")
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.save_training({"step": 10}, {})
    with pytest.raises(RunFolderError) as raised:
        checkpoints.wait()
    path = tmp_path / "checkpoints" / "training-00" / "00"
    assert str(raised.value) == f"{path}: cannot be written: Not a directory"


def test_tensors_go_to_the_asked_device(tmp_path):
    save(Checkpoints(tmp_path), 0)
    index, state, _ = Checkpoints(tmp_path, device="meta").latest()
    assert (index, state["w"].device.type) == (0, "meta")


def test_keeping_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^keep is 0; at least one checkpoint is needed to resu"):
        Checkpoints(tmp_path, keep=0)


def test_a_kill_at_any_moment_leaves_something_to_resume_from(tmp_path, found_after_kills):
    script = """
import logging, shutil, sys
from pathlib import Path
from cilsim.results.checkpoint import Checkpoints
folder = Path(sys.argv[1]) / "checkpoints"
checkpoints = Checkpoints(folder, keep=1)
def prepare():
    shutil.rmtree(folder, ignore_errors=True)
    checkpoints.save_experience(0, {"a": 0}, {})
read = lambda: checkpoints.latest()[:2]
kill_everywhere(prepare, lambda: checkpoints.save_experience(1, {"a": 1}, {}), read)
"""
    found = found_after_kills(script, tmp_path)
    assert sorted(set(found)) == ["(0, {'a': 0})", "(1, {'a': 1})"]


def test_states_of_another_version_are_skipped_and_named(
    checkpoints, caplog, monkeypatch, tmp_path
):
    monkeypatch.setattr("cilsim.results.generations.FORMAT", 0)
    save(checkpoints, 0)
    monkeypatch.undo()
    assert checkpoints.latest() is None
    folder = tmp_path / "checkpoints" / "experience-00"
    assert [record.getMessage() for record in caplog.records] == [
        f"{folder}: was written by another version of cilsim (format 0, expected 2); "
        "this checkpoint is skipped"
    ]
