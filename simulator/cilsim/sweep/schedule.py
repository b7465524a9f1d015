"""Starts every cell of a sweep, takes note of how it ends, and starts again what was lost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from cilsim.errors import CilsimError
from cilsim.sweep.cell import Cell, CellState, is_in_use, state_of
from cilsim.sweep.event_log import EventLog
from cilsim.sweep.job import Ended, Job
from cilsim.sweep.workers import Workers

Phase = Literal["waiting", "running", "finished", "failed", "interrupted"]

USER_ERROR = CilsimError.exit_code
"""Exit code of what another attempt does not mend."""
SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_UNTIL_FREE = 2.0
"""How long until a cell is looked at again that another process is running."""


@dataclass
class Progress:
    """How far one cell has come.

    Attributes:
        attempts: how often it was started by this command.
        began: when the attempt under way was started, in seconds of the clock.
        seconds: how long the attempts took that have ended.
        told: why the last attempt did not finish it, or empty.
        skipped: whether it was finished before this command.
    """

    cell: Cell
    folder: Path
    phase: Phase = "waiting"
    attempts: int = 0
    began: float = 0.0
    seconds: float = 0.0
    told: str = ""
    skipped: bool = False


class View(Protocol):
    """Shows the user how far a sweep is."""

    def event(self, progress: Progress, all_cells: Sequence[Progress]) -> None:
        """Show that one cell has come into another phase."""

    def refresh(self, all_cells: Sequence[Progress]) -> None:
        """Show how it stands; called several times a second."""


Prepare = Callable[[Cell, Path], Job]
"""Makes the job of a cell that is about to be started."""


@dataclass
class Schedule:
    """One command's work on a sweep.

    Attributes:
        cells: how far each cell is.
        workers: who carries jobs out.
        prepare: makes the job of a cell.
        retries: how often a cell is started again.
        view: shows how far it is.
        log: where what happens is noted.
        stop: whether somebody asked to save and stop.
    """

    cells: Sequence[Progress]
    workers: Workers
    prepare: Prepare
    retries: int
    view: View
    log: EventLog
    stop: Callable[[], bool]
    clock: Callable[[], float] = time.monotonic
    _waiting: deque[Progress] = field(default_factory=deque)
    _running: dict[str, Progress] = field(default_factory=dict)
    _again: dict[str, float] = field(default_factory=dict)
    _stopping: bool = False

    def run(self) -> None:
        """Bring every cell to an end, or stop all when somebody asks."""
        for progress in self.cells:
            if state_of(progress.cell, progress.folder) is CellState.FINISHED:
                progress.phase, progress.skipped = "finished", True
            else:
                self._waiting.append(progress)
        try:
            while self._running or (self._waiting and not self._stopping):
                self._turn()
                time.sleep(SECONDS_BETWEEN_LOOKS)
        except BaseException:
            self.workers.kill()
            raise
        for progress in self._waiting:
            progress.phase = "interrupted"

    def _turn(self) -> None:
        if self.stop() and not self._stopping:
            self._stopping = True
            self.workers.stop()
        for ended in self.workers.ended():
            self._take(self._running.pop(ended.name), ended)
        if not self._stopping:
            self._start_some()
        self.view.refresh(self.cells)

    def _start_some(self) -> None:
        for _ in range(len(self._waiting)):
            if not self.workers.has_room():
                return
            progress = self._waiting.popleft()
            if self._is_free(progress):
                self._start(progress)
            else:  # others come first
                self._waiting.append(progress)

    def _is_free(self, progress: Progress) -> bool:
        """Return whether no other process runs a cell; those are not asked at every turn."""
        name, now = progress.cell.name, self.clock()
        if now < self._again.get(name, 0.0):
            return False
        if is_in_use(progress.folder):
            self._again[name] = now + SECONDS_UNTIL_FREE
            return False
        return True

    def _start(self, progress: Progress) -> None:
        if state_of(progress.cell, progress.folder) is CellState.FINISHED:  # by somebody else
            self._enter(progress, "finished")
            return
        progress.attempts += 1
        progress.told = ""
        progress.began = self.clock()
        self._running[progress.cell.name] = progress
        self.workers.start(self.prepare(progress.cell, progress.folder))
        self._enter(progress, "running")

    def _take(self, progress: Progress, ended: Ended) -> None:
        progress.seconds += self.clock() - progress.began
        progress.told = ended.told
        if state_of(progress.cell, progress.folder) is CellState.FINISHED:
            progress.told = ""
            self._enter(progress, "finished")
        elif self._stopping:
            self._enter(progress, "interrupted")
        elif self._may_go_on(progress, ended):
            self._waiting.append(progress)
            self._enter(progress, "waiting")
        else:
            self._enter(progress, "failed")

    def _may_go_on(self, progress: Progress, ended: Ended) -> bool:
        if ended.code == USER_ERROR and not is_in_use(progress.folder):
            return False
        return progress.attempts <= self.retries

    def _enter(self, progress: Progress, phase: Phase) -> None:
        progress.phase = phase
        self.log.note(progress.cell.name, phase, progress.attempts, progress.told)
        self.view.event(progress, self.cells)
