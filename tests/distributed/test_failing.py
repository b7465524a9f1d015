"""Failures of all processes are those of the run, those of one end the command."""

from __future__ import annotations

from typing import Any

import pytest

from cilsim.distributed.failing import led, told_apart
from cilsim.distributed.processes import ALONE
from cilsim.errors import Interrupted, OutOfStep, RunFailed, RunFolderError


def test_what_fails_in_a_single_process_passes_unchanged():
    error = RunFailed("no memory")
    with pytest.raises(RunFailed) as caught, told_apart(ALONE, "run 1"):
        raise error
    assert caught.value is error


def test_what_fails_in_all_processes_passes_unchanged(apart: Any):
    def act(processes: Any) -> None:
        with told_apart(processes, "run 1"):
            raise RunFailed("loss is nan")

    assert [(type(error), str(error)) for error in apart(3, act)] == [
        (RunFailed, "loss is nan")
    ] * 3


def test_what_fails_in_one_process_names_it(apart: Any):
    def act(processes: Any) -> str:
        with told_apart(processes, "run 1"):
            if processes.rank == 1:
                raise ZeroDivisionError("by nothing")
        return "well"

    first, second = apart(2, act)
    assert first == "well"
    assert isinstance(second, OutOfStep)
    assert (second.here, str(second)) == (True, "process 1 of 2: ZeroDivisionError: by nothing")


def test_a_process_that_has_the_run_behind_it_did_not_fail_at_it(apart: Any):
    def act(processes: Any) -> None:
        with told_apart(processes, "run 1"):
            pass
        with told_apart(processes, "run 2"):
            if processes.rank == 0:
                raise RunFailed("no more")

    first, second = apart(2, act)
    assert (type(first), str(first), second) == (OutOfStep, "no more", None)


def test_files_that_cannot_be_written_are_not_waited_for(apart: Any):
    def act(processes: Any) -> None:
        with told_apart(processes, "run 1"):
            if processes.is_first:
                raise RunFailed("disk full") from RunFolderError("disk full")

    first, second = apart(2, act)
    assert (type(first), str(first), second) == (OutOfStep, "disk full", None)


def test_a_stop_passes_unchanged(apart: Any):
    def act(processes: Any) -> None:
        with told_apart(processes, "run 1"):
            raise Interrupted("stopped")

    assert [type(error) for error in apart(2, act)] == [Interrupted] * 2


def test_what_the_first_process_cannot_do_fails_in_all(apart: Any):
    def act(processes: Any) -> None:
        with told_apart(processes, "s"), led(processes):
            if processes.is_first:
                raise RunFolderError("runs/s: is in use")

    assert [(type(error), str(error)) for error in apart(3, act)] == [
        (RunFolderError, "runs/s: is in use")
    ] * 3


def test_what_the_first_process_did_lets_all_go_on(together: Any):
    def act(processes: Any) -> str:
        with led(processes):
            pass
        return "on"

    assert together(2, act) == ["on", "on"]
