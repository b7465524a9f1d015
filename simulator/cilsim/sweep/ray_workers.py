"""Jobs as tasks of a Ray cluster whose machines see the same folders.

A task starts the same process as on this machine and waits for it. Ray starts a task again whose
worker or machine was lost; the run then goes on from what its folder holds, once the lock that the
old process had on it is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from cilsim.errors import CilsimError, in_one_line
from cilsim.sweep.job import Ended, Job, perform

INSTALL = 'Ray is not installed; install it with: pip install "cilsim[ray]"'
LOST_CODE = -9


class RayWorkers:
    """Tasks of a Ray cluster.

    Args:
        address: of the cluster; None for the one that RAY_ADDRESS names or that runs here, else
            one of this machine.
        threads: cores that each task asks for.
        gpus: GPUs that each task asks for; may be a fraction.
        retries: how often Ray starts a task again whose worker was lost.
        most: how many tasks are handed over at a time; None for all, so that a cluster that grows
            by demand can.

    Raises:
        CilsimError: Ray is not installed, or there is no such cluster.
    """

    def __init__(
        self,
        address: str | None,
        threads: int,
        gpus: float = 0.0,
        retries: int = 2,
        most: int | None = None,
    ) -> None:
        self._ray = _connected(address)
        remote = self._ray.remote(num_cpus=threads, num_gpus=gpus, max_retries=retries)
        self._task = remote(perform)
        self._most = most
        self._running: dict[Any, Job] = {}

    def has_room(self) -> bool:
        """Return whether another task may be handed over."""
        return self._most is None or len(self._running) < self._most

    def start(self, job: Job) -> None:
        """Hand a task over."""
        self._running[self._task.remote(job)] = job

    def ended(self) -> Iterator[Ended]:
        """Yield what has ended."""
        if not self._running:
            return
        waiting = list(self._running)
        done, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=0)
        for reference in done:
            yield self._result(reference, self._running.pop(reference))

    def stop(self) -> None:
        """Cancel all tasks; those that run let their process save and stop."""
        for reference in self._running:
            self._ray.cancel(reference)

    def kill(self) -> None:
        """End all tasks at once."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)

    def close(self) -> None:
        """Leave the cluster; one that was started for this command ends with it."""
        self._ray.shutdown()

    def _result(self, reference: Any, job: Job) -> Ended:
        try:
            ended: Ended = self._ray.get(reference)
        except self._ray.exceptions.TaskCancelledError:
            return Ended(job.name, LOST_CODE, "stopped")
        except self._ray.exceptions.RayError as error:
            return Ended(job.name, LOST_CODE, f"lost: {in_one_line(error)}")
        return ended


def _connected(address: str | None) -> Any:
    """Return the module `ray`, connected to a cluster."""
    try:
        import ray
    except ImportError as error:
        raise CilsimError(f"--ray: {INSTALL}") from error
    if not ray.is_initialized():
        try:
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            where = f" {address}" if address else ""
            raise CilsimError(
                f"--ray{where}: no cluster is reached: {in_one_line(error)}"
            ) from error
    return ray
