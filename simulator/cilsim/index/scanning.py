"""Finds run folders and tells, by a few `stat` calls, whether one has changed since."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cilsim.results.atomic import is_stale
from cilsim.results.scenario_files import RESOLVED
from cilsim.results.sums import SUMS

STATUS = "status.json"
MOST_LEVELS = 4
"""How deep below the folder of all runs a run folder may lie."""


def run_folders(root: Path) -> Iterator[str]:
    """Yield the path, relative to `root` and with `/`, of every run folder below it."""
    yield from _below(str(root), "", MOST_LEVELS)


def mark_of(root: Path, place: str, runs: Iterable[str]) -> str:
    """Return what changes whenever a run folder does.

    Args:
        root: the folder of all runs.
        place: the run folder, relative to it.
        runs: folders of the runs that it is known to have, relative to `root`. A run that is new
            in it changes its status.
    """
    files = [f"{place}/{STATUS}", f"{place}/{RESOLVED}", *(f"{run}/{SUMS}" for run in runs)]
    return " ".join(_stamp(os.path.join(root, name)) for name in files)


def _below(folder: str, place: str, levels: int) -> Iterator[str]:
    if place and os.path.isfile(os.path.join(folder, RESOLVED)):
        yield place
        return
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if _may_hold_runs(entry))
    except OSError:
        return  # gone, or not ours to read
    if levels:
        for name in names:
            inner = f"{place}/{name}" if place else name
            yield from _below(os.path.join(folder, name), inner, levels - 1)


def _may_hold_runs(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and not is_stale(entry.name) and entry.is_dir()


def _stamp(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return "-"
    return f"{found.st_mtime_ns:x}.{found.st_size:x}.{found.st_ino:x}"
