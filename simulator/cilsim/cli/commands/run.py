"""`cilsim run`: every strategy of a scenario with every seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cilsim.cli.complaints import complain
from cilsim.cli.discovery import find_plugins, load_scenarios
from cilsim.cli.execution import Execution
from cilsim.cli.parameters import (
    FILE,
    files_argument,
    json_option,
    parse_labels,
    parse_seeds,
    plugin_option,
    processes_option,
    run_options,
    set_option,
)
from cilsim.cli.settings import settings_of, shared_options
from cilsim.cli.several import several, shared_threads
from cilsim.errors import CilsimError, Interrupted, OutOfStep
from cilsim.naming import did_you_mean
from cilsim.scenario.schema import Scenario


@click.command("run")
@files_argument
@set_option
@click.option(
    "--seeds", type=parse_seeds, metavar="SEEDS", help="Use these seeds, such as 0,1,2 or 0-4."
)
@click.option(
    "--strategies",
    type=parse_labels,
    metavar="LABELS",
    help="Run only these of the file, such as nmc,teen.",
)
@click.option("--out", default="runs", type=FILE, show_default=True, help="Folder of all runs.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Threads of the CPU.")
@run_options
@processes_option
@plugin_option
@json_option
@shared_options
@click.pass_context
def run(
    context: click.Context,
    /,
    files: Sequence[Path],
    overrides: Sequence[str],
    seeds: tuple[int, ...] | None,
    strategies: tuple[str, ...] | None,
    out: Path,
    threads: int | None,
    device: str | None,
    processes: int | None,
    plugin_files: Sequence[Path],
    **how: Any,
) -> int:
    """Run scenarios: every strategy with every seed.

    All files are checked before the first is run. A run that was interrupted goes on where it
    was. The path of each run folder is written to stdout, with --json one document per scenario
    and line; all else goes to stderr.
    """
    settings = settings_of(context)
    plugins = find_plugins(plugin_files)
    loaded = load_scenarios(files, plugins, overrides)
    scenarios = [
        narrowed(
            scenario, str(path), seeds, strategies, threads or shared_threads(scenario, processes)
        )
        for path, scenario in zip(files, loaded, strict=True)
    ]
    refuse_equal_names(files, scenarios)
    settings.show_warnings()
    with several(settings, processes, device or "auto") as (together, own_device):
        execution = Execution(
            plugins, settings, out, own_device,
            plugin_files=plugin_files, processes=together, started=processes, **how,
        )  # fmt: skip
        return max(_run(execution, scenario, settings.debug) for scenario in scenarios)


def narrowed(
    scenario: Scenario,
    file: str,
    seeds: tuple[int, ...] | None,
    labels: tuple[str, ...] | None,
    threads: int | None,
) -> Scenario:
    """Return the scenario with what the command line asks for.

    Raises:
        CilsimError: the file has no strategy of that label.
    """
    if seeds is not None:
        scenario = replace(scenario, seeds=seeds)
    if threads is not None:
        scenario = replace(scenario, threads=threads)
    if labels is None:
        return scenario
    known = {strategy.label: strategy for strategy in scenario.strategies}
    for label in labels:
        if label not in known:
            raise CilsimError(
                f"--strategies: {file} has no strategy '{label}'{did_you_mean(label, known)}"
            )
    return replace(
        scenario,
        strategies=tuple(known[label] for label in labels),
        published=tuple(entry for entry in scenario.published if entry.strategy in labels),
    )


def refuse_equal_names(files: Sequence[Path], scenarios: Sequence[Scenario]) -> None:
    """Refuse two files whose runs would share a folder.

    Raises:
        CilsimError: two scenarios have the same name.
    """
    first: dict[str, Path] = {}
    for file, scenario in zip(files, scenarios, strict=True):
        other = first.setdefault(scenario.name, file)
        if other is not file:
            raise CilsimError(
                f"{file}: the name '{scenario.name}' is that of {other}; "
                "give one of them another 'name'"
            )


def _run(execution: Execution, scenario: Scenario, debug: bool) -> int:
    """Run one scenario; what goes wrong with it does not stop the next."""
    try:
        return execution.run(scenario)
    except (Interrupted, OutOfStep):
        raise
    except CilsimError as error:
        return complain(error, debug)
