"""Who carries jobs out: what a sweep asks of the processes of this machine, and of a cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cilsim.sweep.job import SECONDS_TO_SAVE, Ended, Job, ended, kill, start

GPUS = "CUDA_VISIBLE_DEVICES"


class Workers(Protocol):
    """Carries several jobs out at a time."""

    def has_room(self) -> bool:
        """Return whether another job may be started now."""

    def start(self, job: Job) -> None:
        """Start a job, or put it where it will be started."""

    def ended(self) -> Iterator[Ended]:
        """Yield the jobs that have ended since the last call, without waiting."""

    def stop(self) -> None:
        """Ask all jobs to save and stop; `ended` tells when they have."""

    def kill(self) -> None:
        """End all jobs at once."""


@dataclass
class _Running:
    """A job of this machine.

    Attributes:
        began: when it was started, in seconds of the clock.
        stopped: when it was asked to stop, None if it was not.
        late: whether it was because it took too long.
        slot: its place among those of the machine.
    """

    job: Job
    process: subprocess.Popen[bytes]
    began: float
    slot: int
    stopped: float | None = None
    late: bool = False


class LocalWorkers:
    """Processes of this machine.

    Args:
        count: how many at a time.
        clock: tells seconds.
    """

    def __init__(self, count: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._clock = clock
        self._gpus = _listed_gpus()
        self._running: list[_Running] = []

    def has_room(self) -> bool:
        """Return whether fewer jobs run than there may be."""
        return len(self._running) < self._count

    def start(self, job: Job) -> None:
        """Start a process; where several GPUs are visible, each slot has one of them."""
        taken = {running.slot for running in self._running}
        slot = next(number for number in range(self._count) if number not in taken)
        if self._gpus:
            gpu = self._gpus[slot % len(self._gpus)]
            job = replace(job, surroundings={**job.surroundings, GPUS: gpu})
        self._running.append(_Running(job, start(job), self._clock(), slot))

    def ended(self) -> Iterator[Ended]:
        """Yield what has ended, after seeing to those that take too long."""
        for running in list(self._running):
            code = running.process.poll()
            if code is None:
                self._see_to(running)
                continue
            self._running.remove(running)
            yield ended(running.job, code, running.late)

    def stop(self) -> None:
        """Send SIGINT to every process that was not asked yet."""
        for running in self._running:
            self._ask(running)

    def kill(self) -> None:
        """End all processes at once."""
        for running in self._running:
            kill(running.process)

    def _see_to(self, running: _Running) -> None:
        now, timeout = self._clock(), running.job.timeout
        if running.stopped is not None:
            if now - running.stopped > SECONDS_TO_SAVE:
                kill(running.process)
        elif timeout is not None and now - running.began > timeout:
            running.late = True
            self._ask(running)

    def _ask(self, running: _Running) -> None:
        if running.stopped is None:
            running.stopped = self._clock()
            running.process.send_signal(signal.SIGINT)


def threads_per_worker(workers: int) -> int:
    """Return how many threads each worker gets, so that all together have a core each.

    OMP_NUM_THREADS, if it is set, is the most.
    """
    cores = len(os.sched_getaffinity(0)) if os.name == "posix" else os.cpu_count() or 1
    given = os.environ.get("OMP_NUM_THREADS", "")
    most = int(given) if given.isdigit() and int(given) > 0 else cores
    return max(1, min(most, cores // workers))


def _listed_gpus() -> Sequence[str]:
    """Return the GPUs that the user has listed, if there are several to choose from."""
    listed = [gpu.strip() for gpu in os.environ.get(GPUS, "").split(",") if gpu.strip()]
    return listed if len(listed) > 1 else ()
