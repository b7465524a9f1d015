import logging
import math

import pytest

from cilsim.errors import RunFolderError
from cilsim.plugins import new_manager
from cilsim.records import Scalars
from cilsim.report.scalar_log import ScalarLog, read_scalars
from cilsim.results.sealed_folder import SealedFolder
from cilsim.results.seed_folder import TRAINING_SCALARS

LINES = [Scalars({"train/loss": 2.0, "train/lr": 0.1}, 10), Scalars({"train/loss": 1.5}, 20)]


def log(run, scalars, past=()):
    """Log as the engine does, without closing, as if the process were killed."""
    manager = new_manager()
    manager.register(ScalarLog(past))
    manager.hook.cilsim_before_run(run=run)
    for entry in scalars:
        manager.hook.cilsim_on_scalars(run=run, scalars=entry)
    return manager


def test_each_call_is_one_line_that_is_on_disk_at_once(make_run):
    run = make_run()
    manager = log(run, LINES)
    assert (run.folder / TRAINING_SCALARS).read_text() == (
        '{"step": 10, "values": {"train/loss": 2.0, "train/lr": 0.1}, "crc32": 1116034038}\n'
        '{"step": 20, "values": {"train/loss": 1.5}, "crc32": 1629804930}\n'
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
    log(run, [again], past=read_scalars(run.folder, last_step=10)).hook.cilsim_after_run(
        run=run, result=None
    )
    assert read_scalars(run.folder) == [LINES[0], again]


def test_a_new_run_starts_an_empty_log(make_run):
    run = make_run()
    log(run, LINES).hook.cilsim_on_run_error(run=run, error=None)
    log(run, []).hook.cilsim_after_run(run=run, result=None)
    assert (run.folder / TRAINING_SCALARS).read_text() == ""


def test_half_a_line_of_a_killed_process_is_skipped(make_run):
    run = make_run()
    log(run, LINES).hook.cilsim_on_run_error(run=run, error=None)
    with (run.folder / TRAINING_SCALARS).open("a") as file:
        file.write('{"step": 30, "val')
    assert read_scalars(run.folder) == LINES


def test_values_that_json_lacks_come_back(make_run):
    run = make_run()
    odd = Scalars({"a": math.inf, "b": -math.inf, "c": math.nan}, 1)
    log(run, [odd]).hook.cilsim_after_run(run=run, result=None)
    text = (run.folder / TRAINING_SCALARS).read_text()
    assert (
        text
        == '{"step": 1, "values": {"a": "inf", "b": "-inf", "c": "nan"}, "crc32": 2992937523}\n'
    )
    assert str(read_scalars(run.folder)[0].values) == "{'a': inf, 'b': -inf, 'c': nan}"


@pytest.mark.parametrize("line", ["{", "[]", '{"step": 1}', '{"step": "x", "values": {}}'])
def test_a_damaged_line_is_left_out_and_the_file_named(make_run, caplog, line):
    run = make_run()
    log(run, LINES).hook.cilsim_on_run_error(run=run, error=None)
    path = run.folder / TRAINING_SCALARS
    path.write_text(line + "\n" + path.read_text().splitlines()[1] + "\n")
    with caplog.at_level(logging.WARNING):
        assert read_scalars(run.folder) == LINES[1:]
    assert caplog.messages == [
        f"{path}: is damaged: 1 of its lines are not what was written; "
        "curves of past training are drawn without what is lost"
    ]


def test_no_flipped_byte_of_a_line_is_ever_read(make_run):
    run = make_run()
    log(run, LINES).hook.cilsim_on_run_error(run=run, error=None)
    path = run.folder / TRAINING_SCALARS
    good = path.read_bytes()
    end_of_first = good.index(b"\n")
    for position in range(end_of_first):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        assert read_scalars(run.folder) == LINES[1:]


def test_a_line_that_was_removed_is_missed_once_the_file_was_listed(make_run, caplog):
    run = make_run()
    log(run, LINES).hook.cilsim_on_run_error(run=run, error=None)
    path = run.folder / TRAINING_SCALARS
    with SealedFolder(run.folder).changes() as changes:
        changes.adopt_beginning(TRAINING_SCALARS)
    path.write_text(path.read_text().splitlines()[1] + "\n")
    with caplog.at_level(logging.WARNING):
        assert read_scalars(run.folder) == LINES[1:]
    assert caplog.messages == [
        f"{path}: is damaged: its checksum does not match the one in SHA256SUMS; "
        "curves of past training are drawn without what is lost"
    ]


def test_a_log_that_goes_on_after_it_was_listed_is_as_good_as_ever(make_run, caplog):
    run = make_run()
    manager = log(run, LINES[:1])
    with SealedFolder(run.folder).changes() as changes:
        changes.adopt_beginning(TRAINING_SCALARS)
    manager.hook.cilsim_on_scalars(run=run, scalars=LINES[1])
    manager.hook.cilsim_after_run(run=run, result=None)
    with caplog.at_level(logging.WARNING):
        assert read_scalars(run.folder) == LINES
    assert caplog.messages == []


def test_a_log_that_cannot_be_opened_is_one_line(make_run):
    run = make_run()
    path = run.folder / TRAINING_SCALARS
    path.mkdir(parents=True)
    with pytest.raises(RunFolderError) as caught:
        log(run, [])
    assert str(caught.value) == f"{path}: cannot be written: Is a directory"


def test_scalars_before_the_run_begins_are_ignored(make_run):
    run = make_run()
    ScalarLog().cilsim_on_scalars(run, LINES[0])
    assert not run.folder.exists()
