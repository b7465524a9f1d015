"""`cilsim resume`: goes on with what an interrupted command left to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cilsim.cli.discovery import find_plugins
from cilsim.cli.execution import Execution, describe_outcome
from cilsim.cli.output import write_json
from cilsim.cli.parameters import FILE, json_option, plugin_option, run_options
from cilsim.cli.settings import settings_of, shared_options
from cilsim.cli.stored import results_in, scenario_in
from cilsim.results.manifest import read_manifest
from cilsim.results.run_folder import RunFolder
from cilsim.runner.request import ScenarioOutcome


@click.command("resume")
@click.argument("folder", metavar="RUN", type=FILE)
@run_options
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
    **how: Any,
) -> int:
    """Go on with an interrupted run.

    RUN is a run folder or any folder in it. A run that is finished is left as it is. Without
    --device the run goes on where it began.
    """
    settings = settings_of(context)
    run_folder = RunFolder.open_existing(folder)
    path = run_folder.path
    status = run_folder.status.read()
    if status is not None and status.state == "finished":
        if not settings.quiet:
            click.echo(f"{path}: finished already, nothing to do", err=True)
        _tell(run_folder, plugin_files, how["as_json"])
        return 0
    plugins = find_plugins(plugin_files)
    scenario = replace(scenario_in(run_folder, plugins), name=path.name)
    settings.show_warnings()
    manifest = read_manifest(path) or {}
    chosen = device or str(manifest.get("device", "auto"))
    return Execution(plugins, settings, path.parent, chosen, plugin_files=plugin_files, **how).run(
        scenario
    )


def _tell(run_folder: RunFolder, plugin_files: Sequence[Path], as_json: bool) -> None:
    """Write to stdout what `run` would have written."""
    if not as_json:
        click.echo(run_folder.path)
        return
    plugins = find_plugins(plugin_files)
    results = results_in(run_folder, scenario_in(run_folder, plugins))
    outcome = ScenarioOutcome(run_folder.path, tuple(results), failures=())
    write_json(describe_outcome(outcome), indent=None)
