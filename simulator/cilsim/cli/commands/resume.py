"""`cilsim resume`: goes on with what an interrupted command left to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cilsim.cli.discovery import find_plugins
from cilsim.cli.execution import Execution
from cilsim.cli.outcome_document import describe_outcome
from cilsim.cli.output import write_json
from cilsim.cli.parameters import (
    FILE,
    json_option,
    plugin_option,
    processes_option,
    run_options,
)
from cilsim.cli.settings import settings_of, shared_options
from cilsim.cli.several import several
from cilsim.cli.stored import results_in, scenario_in, scenario_to_resume
from cilsim.errors import CheckpointError
from cilsim.results.integrity import check_run
from cilsim.results.manifest import read_manifest
from cilsim.results.run_folder import RunFolder
from cilsim.runner.request import ScenarioOutcome

FILES_NAMED = 5


@click.command("resume")
@click.argument("folder", metavar="RUN", type=FILE)
@run_options
@processes_option
@plugin_option
@json_option
@shared_options
@click.pass_context
def resume(
    context: click.Context,
    /,
    folder: Path,
    plugin_files: Sequence[Path],
    device: str | None,
    processes: int | None,
    **how: Any,
) -> int:
    """Go on with an interrupted run.

    RUN is a run folder or any folder in it. A run that is finished is left as it is, unless a file
    of it is damaged: that is made again. Without --device the run goes on where it began.
    """
    settings = settings_of(context)
    run_folder = RunFolder.open_existing(folder)
    path = run_folder.path
    damage = _damage(run_folder) if run_folder.status.says_finished else None
    if damage:
        click.echo(f"warning: {path}: finished, but {damage}; rebuilding", err=True)
    elif damage is not None:
        if not settings.quiet:
            click.echo(f"{path}: finished already, nothing to do", err=True)
        _tell(run_folder, plugin_files, how["as_json"])
        return 0
    plugins = find_plugins(plugin_files)
    scenario = scenario_to_resume(run_folder, plugins)
    settings.show_warnings()
    chosen = device or _device(path)
    with several(settings, processes, chosen) as (together, own_device):
        execution = Execution(
            plugins, settings, path.parent, own_device,
            plugin_files=plugin_files, processes=together, started=processes, **how,
        )  # fmt: skip
        return execution.run(scenario)


def _damage(run_folder: RunFolder) -> str:
    """Return what is damaged or missing, or an empty text."""
    files = [finding.file for finding in check_run(run_folder) if finding.harm]
    more = f" and {len(files) - FILES_NAMED} more" if len(files) > FILES_NAMED else ""
    named = ", ".join(files[:FILES_NAMED])
    return f"damaged or missing: {named}{more}" if files else ""


def _device(path: Path) -> str:
    """Return where the run began; without a manifest it must turn out to be the same as now."""
    try:
        return str((read_manifest(path) or {}).get("device", "auto"))
    except CheckpointError:
        return "auto"


def _tell(run_folder: RunFolder, plugin_files: Sequence[Path], as_json: bool) -> None:
    """Write to stdout what `run` would have written."""
    if not as_json:
        click.echo(run_folder.path)
        return
    plugins = find_plugins(plugin_files)
    results = results_in(run_folder, scenario_in(run_folder, plugins))
    outcome = ScenarioOutcome(run_folder.path, tuple(results), failures=())
    write_json(describe_outcome(outcome), indent=None)
