"""Stopping and saving at the same step in all processes, though signals and clocks differ."""

from __future__ import annotations

import time

from cilsim.distributed.processes import Processes

SECONDS_BETWEEN = 0.05
"""About how often the processes of a training agree; a message takes a hundredth of it."""

MOST_STEPS = 64
"""Steps between two agreements at most."""


class Lockstep:
    """Agrees on what to do between two steps, every so many of them as the first process finds.

    It is alone in no way different: what is asked is what is done.
    """

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._left = 0
        self._stride = 1
        self._agreed_at = time.monotonic()

    def decide(self, *, stop: bool, save: bool) -> tuple[bool, bool]:
        """Return whether to stop and whether to save, the same in every process.

        Args:
            stop: whether this process was asked to stop.
            save: whether by its clock it is time to save; that of the first process counts.
        """
        if self._processes.count == 1:
            return stop, save
        if self._left:
            self._left -= 1
            return False, False
        first = self._processes.is_first
        stride = self._next_stride() if first else 0
        any_stop, saves, self._stride = self._processes.greatest(stop, save and first, stride)
        self._left = self._stride - 1
        return bool(any_stop), bool(saves)

    def _next_stride(self) -> int:
        now = time.monotonic()
        seconds = max(now - self._agreed_at, 1e-6)
        self._agreed_at = now
        return min(MOST_STEPS, max(1, round(self._stride * SECONDS_BETWEEN / seconds)))
