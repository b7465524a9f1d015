from __future__ import annotations

import os
import socket
import threading

import pytest

from cilsim.errors import RunFolderError
from cilsim.results.lock import FolderLock

HOLD = """
import sys
from pathlib import Path
from cilsim.results.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.readline()
lock.release()
print("released", flush=True)
sys.stdin.readline()
"""


def test_a_second_process_is_told_who_holds_the_folder(tmp_path, start_python):
    other = start_python(HOLD, tmp_path)
    assert other.stdout.readline() == "held\n"
    for _ in range(2):  # being refused changes nothing
        with pytest.raises(RunFolderError) as caught:
            FolderLock(tmp_path).acquire()
        assert str(caught.value) == (
            f"{tmp_path} is in use by another process (pid {other.pid} on {socket.gethostname()})"
        )


def test_a_killed_process_holds_nothing(tmp_path, start_python):
    other = start_python(HOLD, tmp_path)
    assert other.stdout.readline() == "held\n"
    other.kill()
    other.wait()
    with FolderLock(tmp_path):
        assert f'"pid": {os.getpid()}' in (tmp_path / ".lock").read_text()


def test_a_released_folder_can_be_locked_while_the_process_goes_on(tmp_path, start_python):
    other = start_python(HOLD, tmp_path)
    assert other.stdout.readline() == "held\n"
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline() == "released\n"
    FolderLock(tmp_path).acquire()


def test_waiting_ends_when_the_holder_lets_go(tmp_path):
    holder = FolderLock(tmp_path)
    holder.acquire()
    timer = threading.Timer(0.1, holder.release)
    timer.start()
    FolderLock(tmp_path).acquire(wait_seconds=30)
    timer.join()


def test_two_locks_of_one_process_exclude_each_other(tmp_path):
    with FolderLock(tmp_path), pytest.raises(RunFolderError) as caught:
        FolderLock(tmp_path).acquire()
    assert str(caught.value) == (
        f"{tmp_path} is in use by another process (pid {os.getpid()} on {socket.gethostname()})"
    )


def test_an_unreadable_holder_is_left_out_of_the_message(tmp_path):
    with FolderLock(tmp_path):
        (tmp_path / ".lock").write_text("[]")
        with pytest.raises(RunFolderError) as caught:
            FolderLock(tmp_path).acquire()
    assert str(caught.value) == f"{tmp_path} is in use by another process"


def test_a_lock_file_that_cannot_be_made_is_an_error_with_the_reason(tmp_path):
    (tmp_path / ".lock").mkdir()
    with pytest.raises(RunFolderError) as caught:
        FolderLock(tmp_path).acquire()
    assert str(caught.value) == f"{tmp_path}: cannot be written: Is a directory"


def test_releasing_what_is_not_held_does_nothing(tmp_path):
    lock = FolderLock(tmp_path)
    lock.release()
    with lock:
        pass
    lock.release()
    assert not (tmp_path / "anything else").exists()
