"""Telling a failure that all processes meet alike from one that only this process met.

The first is a failure of the run, as of one process. After the second the processes are no longer
at the same place, and the command ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cilsim.distributed.processes import Processes
from cilsim.errors import CilsimError, Interrupted, OutOfStep, RunFolderError, in_one_line

_AGREED = "_cilsim_agreed"


@contextmanager
def told_apart(processes: Processes, what: str) -> Iterator[None]:
    """Let an error pass that all processes meet in the block; make another one an `OutOfStep`.

    Args:
        processes: of which each enters the block.
        what: names the block; no other one of the command has this name.

    Raises:
        OutOfStep: this process alone failed.
    """
    try:
        yield
    except (Interrupted, OutOfStep):
        raise
    except Exception as error:
        if processes.count == 1 or _is_agreed(error):
            raise
        if not _is_of_files(error) and processes.all_failed(what):
            raise
        raise OutOfStep(_named(processes, error), here=True) from error
    processes.passed(what)


@contextmanager
def led(processes: Processes) -> Iterator[None]:
    """Let what the first process cannot do in the block fail in all of them.

    Raises:
        RunFolderError: the first process met one, or another error meant for the user.
    """
    if processes.count == 1:
        yield
        return
    try:
        yield
    except CilsimError as error:
        if processes.is_first:
            vars(error)[_AGREED] = True
            processes.of_first(f"failed {error}".encode())
        raise
    verdict = processes.of_first(b"done").decode()
    if verdict != "done":
        told = RunFolderError(verdict.removeprefix("failed "))
        vars(told)[_AGREED] = True
        raise told


def _is_agreed(error: BaseException | None) -> bool:
    """Return whether `led` has told all processes of an error, or of what it came from."""
    return error is not None and (_AGREED in vars(error) or _is_agreed(error.__cause__))


def _is_of_files(error: BaseException) -> bool:
    """Return whether files were the cause, which each process has for itself."""
    return isinstance(error, RunFolderError) or isinstance(error.__cause__, RunFolderError)


def _named(processes: Processes, error: Exception) -> str:
    said = str(error) if isinstance(error, CilsimError) else in_one_line(error)
    if processes.is_first:
        return said
    return f"process {processes.rank} of {processes.count}: {said}"
