"""`cilsim check`: whether scenarios can be run, and everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cilsim.cli.discovery import find_plugins, load_or_explain
from cilsim.cli.output import write_json
from cilsim.cli.parameters import files_argument, json_option, plugin_option, set_option
from cilsim.cli.settings import shared_options
from cilsim.cli.streams import stdout_reserved
from cilsim.errors import CilsimError, Problem, ScenarioError
from cilsim.plugins import Plugins
from cilsim.runner.blame import plugins_named
from cilsim.runner.planning import data_facts, plan_stream
from cilsim.scenario.schema import Scenario


@dataclass(frozen=True)
class Checked:
    """A file that can be run."""

    file: Path
    scenario: Scenario
    protocol: str

    def __str__(self) -> str:
        stream = self.scenario.stream
        strategies = ", ".join(strategy.label for strategy in self.scenario.strategies)
        seeds = ", ".join(map(str, self.scenario.seeds))
        return (
            f"{self.file}: fine: {stream.kind}, {self.protocol} on {stream.dataset.name}, "
            f"strategies {strategies}, seeds {seeds}"
        )


@click.command("check")
@files_argument
@set_option
@plugin_option
@json_option
@shared_options
def check(
    files: Sequence[Path], overrides: Sequence[str], plugin_files: Sequence[Path], as_json: bool
) -> int:
    """Say whether scenarios can be run.

    Every problem of every file is told at once; the exit code is 2 if there is one.
    """
    plugins = find_plugins(plugin_files)
    fine: list[Checked] = []
    problems: list[Problem] = []
    for path in files:
        found = _check(path, plugins, overrides)
        if isinstance(found, Checked):
            fine.append(found)
        else:
            problems.extend(found)
    if as_json:
        write_json(_document(fine, problems))
        return ScenarioError.exit_code if problems else 0
    for checked in fine:
        click.echo(checked)
    if problems:
        raise ScenarioError(problems)
    return 0


def _check(path: Path, plugins: Plugins, overrides: Sequence[str]) -> Checked | tuple[Problem, ...]:
    found = load_or_explain(path, plugins, overrides)
    if isinstance(found, tuple):
        return found
    try:
        # what only the drawn class order shows, such as too few images of a class for the shots
        with stdout_reserved(), plugins_named(plugins):
            facts = data_facts(found, plugins)
            streams = [plan_stream(found, plugins, seed, facts)[1] for seed in found.seeds]
    except CilsimError as error:
        return (Problem(str(path), "", str(error)),)
    return Checked(path, found, streams[0].protocol)


def _document(fine: Sequence[Checked], problems: Sequence[Problem]) -> dict[str, Any]:
    return {
        "fine": not problems,
        "scenarios": [
            {
                "file": str(checked.file),
                "name": checked.scenario.name,
                "stream": checked.scenario.stream.kind,
                "protocol": checked.protocol,
                "dataset": checked.scenario.stream.dataset.name,
                "strategies": [strategy.label for strategy in checked.scenario.strategies],
                "seeds": list(checked.scenario.seeds),
            }
            for checked in fine
        ],
        "problems": [
            {"where": problem.where, "path": problem.path, "message": problem.message}
            for problem in problems
        ],
    }
