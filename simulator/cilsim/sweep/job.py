"""What starting a cell takes: a command, its surroundings, and where its lines go.

The command is that of an ordinary `cilsim run` on a file of the resolved scenario, so that what is
edited while a sweep runs changes nothing in it. It may be started on another machine that sees the
same folders.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cilsim.results.run_folder import RunFolder
from cilsim.sweep.cell import is_in_use

PARENT = "CILSIM_WORKER_OF"
"""Variable that tells a worker whose death it must not survive."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
SECONDS_TO_SAVE = 60.0
"""How long a run that is asked to stop may take before it is killed."""
_MOMENT = 0.1


@dataclass(frozen=True)
class Job:
    """One attempt at a cell.

    Attributes:
        name: of the cell.
        arguments: of the Python interpreter, which may be another one on another machine.
        folder: the run folder that comes of it.
        log: file that stderr is appended to.
        threads: of the CPU.
        timeout: seconds that it may take, None for ever.
        surroundings: further variables of the environment.
    """

    name: str
    arguments: tuple[str, ...]
    folder: Path
    log: Path
    threads: int
    timeout: float | None = None
    surroundings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How an attempt ended.

    Attributes:
        name: of the cell.
        code: exit code; negative if a signal ended it.
        told: the last line that it had to say, or empty.
    """

    name: str
    code: int
    told: str = ""


def start(job: Job) -> subprocess.Popen[bytes]:
    """Start a job in a process group of its own, which signals from the keyboard do not reach."""
    threads = {name: str(job.threads) for name in THREAD_VARIABLES}
    environment = {**os.environ, **threads, **job.surroundings, PARENT: str(os.getpid())}
    job.log.parent.mkdir(parents=True, exist_ok=True)
    with job.log.open("ab") as log:
        return subprocess.Popen(
            (sys.executable, *job.arguments), env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=log, start_new_session=True,
        )  # fmt: skip


def ended(job: Job, code: int, late: bool = False) -> Ended:
    """Return how a job ended: too late, by a signal, or with the last line of its log."""
    if late and code != 0:
        return Ended(job.name, code, f"stopped after {job.timeout:g} s, its timeout")
    if code < 0:
        return Ended(job.name, code, f"lost: ended by {signal_name(-code)}")
    return Ended(job.name, code, "" if code == 0 else last_line(job.log))


def signal_name(number: int) -> str:
    """Return the name of a signal, such as `SIGKILL`."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def perform(job: Job) -> Ended:
    """Start a job and wait for it; what was finished meanwhile by somebody else is left alone.

    A KeyboardInterrupt asks the run to save and stop before it is raised again.
    """
    while is_in_use(job.folder):  # a worker that lost its parent is still saving
        time.sleep(_MOMENT)
    if RunFolder(job.folder).status.says_finished:
        return Ended(job.name, 0)
    process, began = start(job), time.monotonic()
    late = False
    try:
        while process.poll() is None and not late:
            time.sleep(_MOMENT)
            late = job.timeout is not None and time.monotonic() - began > job.timeout
    finally:
        stop_and_wait(process)
    return ended(job, process.returncode, late)


def stop_and_wait(process: subprocess.Popen[bytes]) -> None:
    """Ask a worker that still runs to save and stop, and kill it if it takes too long."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(SECONDS_TO_SAVE)
    except subprocess.TimeoutExpired:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a worker at once, with all that it has started; what it has stored stays whole."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()


def last_line(log: Path) -> str:
    """Return the last complaint in a log, without its head `error:`."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-200:]
    except OSError:
        return ""
    filled = [line.strip() for line in lines if line.strip()]
    complaints = [line for line in filled if line.startswith(("error: ", "internal error: "))]
    return (complaints or filled or [""])[-1].removeprefix("error: ")
