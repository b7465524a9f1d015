"""What came out of a sweep: the JSON documents, and how many runs are finished or failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cilsim.sweep.cell import Cell
from cilsim.sweep.place import SweepFolder
from cilsim.sweep.results import Finals
from cilsim.sweep.schedule import Progress

NAMED = 5
"""Failed runs that a line names."""


def describe_cell(cell: Cell, state: str) -> dict[str, Any]:
    """Return a run of a sweep, and how far it is, as plain data."""
    return {
        "number": cell.number,
        "run": cell.name,
        "scenario": cell.source,
        "strategy": cell.strategy,
        "seed": cell.seed,
        "settings": dict(cell.settings),
        "state": state,
    }


def describe_sweep(
    folder: SweepFolder, progress: Sequence[Progress], finals: Finals
) -> dict[str, Any]:
    """Return the runs that a command has carried out, with their final metrics, as plain data."""
    return {
        "name": folder.path.name,
        "folder": str(folder.path),
        "results": str(folder.path / "results.csv"),
        "runs": [
            {
                **describe_cell(one.cell, one.phase),
                "attempts": one.attempts,
                "told": one.told,
                "metrics": dict(finals.get(one.cell.name, {})),
            }
            for one in progress
        ],
    }


def stop_in(progress: Sequence[Progress]) -> str:
    """Return how far an interrupted sweep has come, or an empty text."""
    if not any(one.phase == "interrupted" for one in progress):
        return ""
    done = sum(one.phase == "finished" for one in progress)
    return f"stopped: {done} of {len(progress)} runs are finished"


def failures_in(progress: Sequence[Progress]) -> str:
    """Return which runs failed, or an empty text."""
    failed = [one.cell.name for one in progress if one.phase == "failed"]
    if not failed:
        return ""
    named = ", ".join(failed[:NAMED])
    more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
    return f"{len(failed)} of {len(progress)} runs failed: {named}{more}"
