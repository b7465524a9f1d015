"""`cilsim diff`: what differs between two runs, from stored files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cilsim.cli.chosen_runs import ChosenRuns, chosen_runs
from cilsim.cli.output import write_json
from cilsim.cli.parameters import FILE, json_option
from cilsim.cli.settings import shared_options
from cilsim.errors import RunFailed, RunFolderError
from cilsim.report.folder_difference import FolderDifference, difference_lines, folder_difference
from cilsim.results.seed_folder import SeedFolder

Key = tuple[str, int]


@click.command("diff")
@click.argument("first", metavar="A", type=FILE)
@click.argument("second", metavar="B", type=FILE)
@json_option
@shared_options
def diff(first: Path, second: Path, as_json: bool) -> int:
    """Say what differs between two runs.

    A and B are two run folders, two folders of a strategy, or two seed folders. Told are values of
    the scenario, data, versions, metrics and predictions by experience, and costs. The exit code
    is 0 if metrics and predictions are equal to the last bit and 1 if they are not; costs, versions
    and scenario do not count.
    """
    one, other = chosen_runs(first), chosen_runs(second)
    found = _difference(one, other)
    if as_json:
        write_json({"equal": found.equal, "first": str(first), "second": str(second),
                    **_document(found)})  # fmt: skip
    else:
        _tell(found)
    return 0 if found.equal else RunFailed.exit_code


def _difference(one: ChosenRuns, other: ChosenRuns) -> FolderDifference:
    if one.depth != other.depth:
        raise RunFolderError(
            f"{one.given} is {one.depth} and {other.given} {other.depth}; "
            "expected two of the same kind"
        )
    sides = _by_key(one, other), _by_key(other, one)
    shared = [key for key in sides[0] if key in sides[1]]
    alone = [[folder for key, folder in side.items() if key not in shared] for side in sides]
    if not shared:
        raise RunFolderError(f"{one.given} and {other.given} have no run in common")
    pairs = [(sides[0][key], sides[1][key]) for key in shared]
    return folder_difference(one.folder, other.folder, pairs, (alone[0], alone[1]))


def _by_key(chosen: ChosenRuns, other: ChosenRuns) -> dict[Key, SeedFolder]:
    """Return the runs of one side by what has to be the same on the other side.

    What both paths name themselves may differ: strategy, or strategy and seed.
    """
    strategy = "" if chosen.strategy and other.strategy else None
    seed = 0 if chosen.seed is not None and other.seed is not None else None
    return {
        (one.strategy if strategy is None else strategy, one.seed if seed is None else seed): one
        for one in chosen.seed_folders()
    }


def _tell(found: FolderDifference) -> None:
    for line in difference_lines(found):
        click.echo(line)
    equal = sum(run.equal for run in found.runs)
    click.echo(f"{equal} of {_runs(len(found.runs))} with equal results")


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _document(found: FolderDifference) -> dict[str, Any]:
    return {
        "scenario": list(found.scenario),
        "surroundings": found.surroundings,
        "runs": [{"equal": run.equal, **asdict(run)} for run in found.runs],
        "only_first": _names(found.only_first),
        "only_second": _names(found.only_second),
    }


def _names(found: Sequence[str]) -> list[str]:
    return list(found)
