import math

import pytest

from cilsim.errors import CheckpointError, RunFolderError
from cilsim.plugins import new_manager
from cilsim.records import Scalars
from cilsim.report.scalar_log import FILE_NAME, ScalarLog, read_scalars

LINES = [Scalars({"train/loss": 2.0, "train/lr": 0.1}, 10), Scalars({"train/loss": 1.5}, 20)]


def log(run, scalars, last_step=0):
    """Log as the engine does, without closing, as if the process were killed."""
    manager = new_manager()
    manager.register(ScalarLog(last_step))
    manager.hook.cilsim_before_run(run=run)
    for entry in scalars:
        manager.hook.cilsim_on_scalars(run=run, scalars=entry)
    return manager


def test_each_call_is_one_line_that_is_on_disk_at_once(make_run):
    run = make_run()
    manager = log(run, LINES)
    assert (run.folder / FILE_NAME).read_text() == (
        '{"step": 10, "values": {"train/loss": 2.0, "train/lr": 0.1}}\n'
        '{"step": 20, "values": {"train/loss": 1.5}}\n'
    )
    manager.hook.cilsim_after_run(run=run, result=None)


def test_what_was_logged_is_read_back(make_run):
    run = make_run()
    log(run, LINES).hook.cilsim_after_run(run=run, result=None)
    assert read_scalars(run.folder) == LINES


def test_reading_stops_at_the_checkpoint(make_run):
    run = make_run()
    log(run, LINES).hook.cilsim_on_run_error(run=run, error=None)
    assert read_scalars(run.folder, last_step=10) == LINES[:1]


def test_a_folder_without_a_log_has_no_scalars(tmp_path):
    assert read_scalars(tmp_path) == []


def test_resuming_drops_what_came_after_the_checkpoint(make_run):
    run = make_run()
    log(run, LINES).hook.cilsim_on_run_error(run=run, error=None)
    again = Scalars({"train/loss": 1.25}, 20)
    log(run, [again], last_step=10).hook.cilsim_after_run(run=run, result=None)
    assert read_scalars(run.folder) == [LINES[0], again]


def test_a_new_run_starts_an_empty_log(make_run):
    run = make_run()
    log(run, LINES).hook.cilsim_on_run_error(run=run, error=None)
    log(run, []).hook.cilsim_after_run(run=run, result=None)
    assert (run.folder / FILE_NAME).read_text() == ""


def test_half_a_line_of_a_killed_process_is_skipped(make_run):
    run = make_run()
    log(run, LINES).hook.cilsim_on_run_error(run=run, error=None)
    with (run.folder / FILE_NAME).open("a") as file:
        file.write('{"step": 30, "val')
    assert read_scalars(run.folder) == LINES


def test_values_that_json_lacks_come_back(make_run):
    run = make_run()
    odd = Scalars({"a": math.inf, "b": -math.inf, "c": math.nan}, 1)
    log(run, [odd]).hook.cilsim_after_run(run=run, result=None)
    text = (run.folder / FILE_NAME).read_text()
    assert text == '{"step": 1, "values": {"a": "inf", "b": "-inf", "c": "nan"}}\n'
    assert str(read_scalars(run.folder)[0].values) == "{'a': inf, 'b': -inf, 'c': nan}"


@pytest.mark.parametrize("line", ["{", "[]", '{"step": 1}', '{"step": "x", "values": {}}'])
def test_a_damaged_line_is_named(tmp_path, line):
    path = tmp_path / FILE_NAME
    path.write_text('{"step": 1, "values": {}}\n' + line + "\n")
    with pytest.raises(CheckpointError) as caught:
        read_scalars(tmp_path)
    assert str(caught.value) == (
        f"{path}: is damaged: line 2 is no training scalar; "
        "without the file only past curves are lost"
    )


def test_a_log_that_cannot_be_opened_is_one_line(make_run):
    run = make_run()
    (run.folder / FILE_NAME).mkdir(parents=True)
    with pytest.raises(RunFolderError) as caught:
        log(run, [])
    assert str(caught.value) == f"{run.folder / FILE_NAME}: cannot be written: Is a directory"


def test_scalars_before_the_run_begins_are_ignored(make_run):
    run = make_run()
    ScalarLog().cilsim_on_scalars(run, LINES[0])
    assert not run.folder.exists()
