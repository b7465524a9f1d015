"""What differs between two run folders: scenario, surroundings, and the results of their runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cilsim.report.formatting import duration, size
from cilsim.report.run_difference import (
    MetricChange,
    PredictionChange,
    RunDifference,
    run_difference,
    run_name,
)
from cilsim.results.manifest import read_manifest
from cilsim.results.run_folder import RunFolder
from cilsim.results.seed_folder import SeedFolder
from cilsim.scenario.resolved import difference

SHOWN = 12
"""Changed metrics and experiences of one run that are listed as text."""

_NOT_SHOWN = "scenario_hash"  # what it stands for is listed key by key


@dataclass(frozen=True)
class FolderDifference:
    """Two choices of runs.

    Attributes:
        scenario: one line per value of the scenario that influences results and differs.
        surroundings: entries of the manifest that differ, by dotted name, of both.
        runs: the runs that both have.
        only_first: names of runs that only the first has.
        only_second: names of runs that only the second has.
    """

    scenario: tuple[str, ...]
    surroundings: Mapping[str, tuple[Any, Any]]
    runs: tuple[RunDifference, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether both have the same runs with the same results."""
        return not self.only_first and not self.only_second and all(run.equal for run in self.runs)


def folder_difference(
    first: RunFolder,
    second: RunFolder,
    pairs: Sequence[tuple[SeedFolder, SeedFolder]],
    alone: tuple[Sequence[SeedFolder], Sequence[SeedFolder]] = ((), ()),
) -> FolderDifference:
    """Return what differs.

    Args:
        first: one run folder.
        second: the other, or the same.
        pairs: the runs to compare.
        alone: runs of the first and of the second that have no counterpart.

    Raises:
        CheckpointError: a file is missing or damaged; the message names it.
    """
    return FolderDifference(
        scenario=tuple(difference(first.resolved_text, second.resolved_text)),
        surroundings=_surroundings(first, second),
        runs=tuple(run_difference(*pair) for pair in pairs),
        only_first=tuple(map(run_name, alone[0])),
        only_second=tuple(map(run_name, alone[1])),
    )


def difference_lines(found: FolderDifference) -> list[str]:
    """Return what differs as lines of text; costs are told, but are no results."""
    lines = _block("scenario", found.scenario)
    told = [f"{name}: {one} -> {other}" for name, (one, other) in found.surroundings.items()]
    lines += _block("data, versions and machine", told)
    for run in found.runs:
        lines += _block(_heading(run), list(_run_lines(run)))
    lines += _block("only in the first", found.only_first)
    return lines + _block("only in the second", found.only_second)


def _surroundings(first: RunFolder, second: RunFolder) -> dict[str, tuple[Any, Any]]:
    sides = [dict(_leaves(read_manifest(one.path) or {}, "")) for one in (first, second)]
    names = sorted({*sides[0], *sides[1]} - {_NOT_SHOWN})
    both = {name: (sides[0].get(name), sides[1].get(name)) for name in names}
    return {name: (one, other) for name, (one, other) in both.items() if one != other}


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield what is no mapping with its dotted name; records of a list by their own name."""
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        value = {str(one.get("name", place)): one for place, one in enumerate(value)}
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from _leaves(inner, f"{name}.{key}" if name else str(key))


def _block(heading: str, lines: Sequence[str]) -> list[str]:
    return [heading, *(f"  {line}" for line in lines)] if lines else []


def _heading(run: RunDifference) -> str:
    name = run.first if run.first == run.second else f"{run.first} -> {run.second}"
    return f"{name}: {'equal results' if run.equal else 'results differ'}"


def _run_lines(run: RunDifference) -> Iterator[str]:
    if run.experiences[0] != run.experiences[1]:
        yield f"experiences finished: {run.experiences[0]} -> {run.experiences[1]}"
    yield from _some([_metric_line(change) for change in run.metrics])
    yield from _some([_prediction_line(change) for change in run.predictions])
    for name, (one, other) in run.costs.items():
        shown = size if name == "bytes_kept" else duration
        sides = ("-" if value is None else shown(value) for value in (one, other))
        yield f"{name}: {' -> '.join(sides)}"


def _some(lines: Sequence[str]) -> list[str]:
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], *([f"and {more} more, see --json"] if more > 0 else [])]


def _metric_line(change: MetricChange) -> str:
    sides = [_fraction(change.first), _fraction(change.second)]
    if change.first is not None and change.second is not None:
        sides[1] += f" ({change.second - change.first:+.6g})"
    return f"experience {change.experience}: {change.name}: {' -> '.join(sides)}"


def _fraction(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _prediction_line(change: PredictionChange) -> str:
    others = f"; {change.others} samples are in one of them only" if change.others else ""
    return (
        f"experience {change.experience}: {change.changed} of {change.shared} predictions of "
        f"{change.part} samples changed{others}"
    )
