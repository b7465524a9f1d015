"""A cell of a sweep: one run, and how far its folder says that it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from cilsim.errors import CheckpointError, RunFolderError
from cilsim.results.lock import LOCK_FILE, FolderLock
from cilsim.results.manifest import read_manifest
from cilsim.results.run_folder import RunFolder
from cilsim.results.scenario_files import RESOLVED
from cilsim.results.status import Status
from cilsim.scenario.resolved import difference, hash_in, resolved_yaml, scenario_hash
from cilsim.scenario.schema import Scenario


class CellState(Enum):
    """How far a cell is, by its folder alone."""

    NEW = "new"
    UNFINISHED = "unfinished"
    FINISHED = "finished"
    ANOTHER = "another version"


@dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Attributes:
        number: position in the sweep, from 0.
        name: of its run folder.
        scenario: with the only strategy and the only seed of the run.
        source: name of the scenario that it came from.
        settings: values of `set:` by key.
    """

    number: int
    name: str
    scenario: Scenario
    source: str
    settings: Mapping[str, Any]

    @property
    def strategy(self) -> str:
        """The label of the strategy."""
        return self.scenario.strategies[0].label

    @property
    def seed(self) -> int:
        """The training seed."""
        return self.scenario.seeds[0]


def state_of(cell: Cell, folder: Path) -> CellState:
    """Return how far the run folder of a cell says that it is."""
    if not (folder / RESOLVED).is_file():
        return CellState.NEW
    before = resolved_in(folder)
    if before is not None and hash_in(before) != scenario_hash(cell.scenario):
        return CellState.ANOTHER
    finished = RunFolder(folder).status.says_finished
    return CellState.FINISHED if finished else CellState.UNFINISHED


def differences(cell: Cell, folder: Path) -> list[str]:
    """Return what differs between a cell and the version of it that its folder holds."""
    return difference(resolved_in(folder) or "", resolved_yaml(cell.scenario))


def status_in(folder: Path) -> Status | None:
    """Return the status of a run folder, None where there is none that can be read."""
    try:
        return RunFolder(folder).status.read()
    except CheckpointError:  # the run writes it anew, with a warning
        return None


def resolved_in(folder: Path) -> str | None:
    """Return the resolved scenario of a run folder, None where it is damaged."""
    try:
        return RunFolder(folder).resolved_text
    except (CheckpointError, RunFolderError):  # the run mends it or refuses to, and says so
        return None


def threads_in(folder: Path) -> int | None:
    """Return how many threads a run folder was begun with, None if it does not say."""
    try:
        found = (read_manifest(folder) or {}).get("threads")
    except CheckpointError:
        return None
    return found if isinstance(found, int) else None


def is_in_use(folder: Path) -> bool:
    """Return whether another process is running what is in a run folder."""
    if not (folder / LOCK_FILE).exists():
        return False
    lock = FolderLock(folder)
    try:
        lock.acquire()
    except RunFolderError:
        return True
    lock.release()
    return False
