"""Run folders that are named as a whole, by strategy or by seed: `runs/a`, `runs/a/teen`, ..."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cilsim.cli.stored import results_in, scenario_in
from cilsim.errors import RunFolderError
from cilsim.plugins import Plugins
from cilsim.records import RunResult
from cilsim.report.entrants import Group
from cilsim.results.manifest import read_manifest
from cilsim.results.run_folder import RunFolder
from cilsim.results.seed_folder import SeedFolder
from cilsim.sweep.grid import combination_in
from cilsim.sweep.place import SweepFolder


@dataclass(frozen=True)
class ChosenRuns:
    """What a path means.

    Attributes:
        given: the path.
        folder: the run folder around it.
        strategy: label, if the path leads to one.
        seed: if the path leads to one.
    """

    given: Path
    folder: RunFolder
    strategy: str | None = None
    seed: int | None = None

    def has(self, strategy: str, seed: int) -> bool:
        """Return whether a run of the folder is meant."""
        return self.strategy in (None, strategy) and self.seed in (None, seed)

    def seed_folders(self) -> list[SeedFolder]:
        """Return the folders of the runs that are meant and exist."""
        return [one for one in self.folder.list_seed_folders() if self.has(one.strategy, one.seed)]

    @property
    def depth(self) -> str:
        """What kind of folder the path leads to."""
        if self.strategy is None:
            return "a run folder"
        return "a strategy's folder" if self.seed is None else "a seed folder"


def chosen_runs(path: Path) -> ChosenRuns:
    """Return what a path means.

    Raises:
        RunFolderError: it leads to no run folder, and to no run within one.
    """
    folder = RunFolder.open_existing(path)
    inside = path.resolve().relative_to(folder.path.resolve()).parts
    if not inside:
        return ChosenRuns(path, folder)
    seed = re.fullmatch(r"seed-(\d+)", inside[1]) if len(inside) > 1 else None
    chosen = ChosenRuns(path, folder, inside[0], int(seed[1]) if seed else None)
    if not chosen.seed_folders() or len(inside) > (2 if seed else 1):
        raise RunFolderError(f"{path}: is no folder of a strategy or of a seed in {folder.path}")
    return chosen


def finished_group(chosen: ChosenRuns, plugins: Plugins) -> Group:
    """Return the finished runs that are meant, for a comparison.

    Raises:
        RunFolderError: none is finished.
        CheckpointError: a file is missing or damaged; the message names it.
    """
    scenario = scenario_in(chosen.folder, plugins)
    results = [one for one in results_in(chosen.folder, scenario) if _is_in(one, chosen)]
    where = chosen.folder.path
    if not results:
        raise RunFolderError(
            f"{chosen.given}: no run is finished; go on with: cilsim resume {where}"
        )
    return Group(
        where=str(where),
        results=results,
        names={choice.label: choice.name for choice in scenario.strategies},
        data_digest=str((read_manifest(where) or {}).get("data_digest", "")),
    )


def unfinished_in(group: Group, chosen: ChosenRuns) -> list[str]:
    """Return the runs that were begun and are left out, as `<strategy>/seed-<n>`."""
    done = {(one.run.strategy, one.run.seed) for one in group.results}
    return [
        f"{one.strategy}/seed-{one.seed}"
        for one in chosen.seed_folders()
        if (one.strategy, one.seed) not in done
    ]


def merged(groups: Sequence[Group]) -> list[Group]:
    """Return one group per folder, each run once, however often a folder was named.

    Runs of a sweep lie in folders of their own; those of one scenario and combination of options
    make one group.
    """
    by_place: dict[tuple[Path, str], Group] = {}
    for group in groups:
        where = _without_run(group)
        place = (where.resolve(), group.data_digest)
        known = by_place.get(place, group)
        runs = {(one.run.strategy, one.run.seed): one for one in (*known.results, *group.results)}
        names = {**known.names, **group.names}
        by_place[place] = Group(str(where), list(runs.values()), names, group.data_digest)
    return list(by_place.values())


def _without_run(group: Group) -> Path:
    """Return the folder of a group; of one run of a sweep, without strategy and seed."""
    folder = Path(group.where)
    if not SweepFolder(folder.parent).own.is_dir():
        return folder
    run = group.results[0].run
    return folder.with_name(combination_in(folder.name, run.strategy, run.seed))


def _is_in(result: RunResult, chosen: ChosenRuns) -> bool:
    return chosen.has(result.run.strategy, result.run.seed)
