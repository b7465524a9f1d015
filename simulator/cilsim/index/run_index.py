"""The index of all runs below a folder: brought up to date, then asked."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cilsim.errors import RunFolderError
from cilsim.index.conditions import read_conditions, require_known
from cilsim.index.database import INDEX_FILE, remove_place, replace_place, tune, writing
from cilsim.index.lasting import LastingDatabase
from cilsim.index.query import LATEST_FIRST, Found, metric_names, select
from cilsim.index.run_reading import read_runs
from cilsim.index.scanning import mark_of, run_folders
from cilsim.results.run_folder import RunFolder

FOLDERS_AT_ONCE = 500
"""Run folders that are written together; others wait that long at most."""


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: run folders that were read, that are gone, and that there are."""

    read: int
    gone: int
    all: int


class RunIndex:
    """The index in the file `.index.sqlite` of a folder of runs.

    What it says is read from the run folders, so it may be removed at any time. A damaged one is
    made anew; where none can be written, it is kept in memory for this command.

    Args:
        root: the folder of all runs, such as `runs`.

    Raises:
        RunFolderError: there is no such folder, or the index is in use for too long.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise RunFolderError(f"{root}: no such folder; expected one that holds runs")
        self.root = root
        self._database = LastingDatabase(root / INDEX_FILE, self._refresh)

    def refresh(self) -> Refreshed:
        """Read every run folder that has changed since, and forget those that are gone.

        Raises:
            RunFolderError: another process writes the index for too long.
        """
        return self._database.answer(self._refresh)

    def rebuild(self) -> Refreshed:
        """Read every run folder again.

        Raises:
            RunFolderError: the old index cannot be removed.
        """
        self._database.start_anew()
        return self.refresh()

    def find(
        self, where: Sequence[str] = (), sort: str = LATEST_FIRST, limit: int | None = None
    ) -> Found:
        """Return the runs for which every condition holds, as the index knows them.

        Args:
            where: texts of conditions such as `strategy=teen A_all>0.5`.
            sort: a column, smallest first, or a metric, greatest first; `-` before it turns that.
            limit: how many rows are read; None for all.

        Raises:
            CilsimError: a condition cannot be read, or names what no run has.
        """
        return self._database.answer(lambda connection: _find(connection, where, sort, limit))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> RunIndex:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _refresh(self, connection: sqlite3.Connection) -> Refreshed:
        known = _known(connection)
        there = list(run_folders(self.root))
        gone = sorted(set(known) - set(there))
        changed = [place for place in there if not self._same(place, known.get(place))]
        for start in range(0, len(changed), FOLDERS_AT_ONCE):
            self._read(connection, changed[start : start + FOLDERS_AT_ONCE])
        if gone:
            with writing(connection):
                for place in gone:
                    remove_place(connection, place)
        if changed:
            tune(connection)
        return Refreshed(len(changed), len(gone), len(there))

    def _same(self, place: str, known: _Known | None) -> bool:
        return known is not None and mark_of(self.root, place, known.runs) == known.mark

    def _read(self, connection: sqlite3.Connection, places: Sequence[str]) -> None:
        read = []
        for place in places:  # marks come first: what changes after them is read again next time
            seeds = RunFolder(self.root / place).list_seed_folders()
            runs = [seed.path.relative_to(self.root).as_posix() for seed in seeds]
            mark = mark_of(self.root, place, sorted(runs))
            read.append((place, mark, read_runs(self.root / place, self.root)))
        with writing(connection):
            for place, mark, entries in read:
                replace_place(connection, place, mark, entries)


@dataclass(frozen=True)
class _Known:
    """The mark of a run folder and the folders of its runs."""

    mark: str
    runs: Sequence[str]


def _known(connection: sqlite3.Connection) -> dict[str, _Known]:
    marks: dict[str, str] = {}
    runs: dict[str, list[str]] = defaultdict(list)
    for path, mark, folder in connection.execute(
        "SELECT place.path, place.mark, run.folder FROM place LEFT JOIN run ON run.place = place.id"
    ):
        marks[path] = mark
        if folder is not None:
            runs[path].append(folder)
    return {path: _Known(mark, sorted(runs[path])) for path, mark in marks.items()}


def _find(
    connection: sqlite3.Connection, where: Sequence[str], sort: str, limit: int | None
) -> Found:
    metrics = metric_names(connection)
    require_known("--sort", sort.removeprefix("-"), metrics)
    return select(connection, read_conditions(where, metrics), sort, limit)
