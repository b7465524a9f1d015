"""`cilsim reproduce`: published numbers, the numbers measured here, and whether they agree."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cilsim.cli.commands.run import narrowed
from cilsim.cli.discovery import find_plugins, load_scenarios
from cilsim.cli.execution import Execution
from cilsim.cli.output import write_json
from cilsim.cli.parameters import (
    FILE,
    json_option,
    parse_labels,
    parse_seeds,
    plugin_option,
    run_options,
    set_option,
)
from cilsim.cli.recipe_list import write_recipes
from cilsim.cli.recipes import comparable, find_recipe, recipes, variant_name
from cilsim.cli.settings import settings_of, shared_options
from cilsim.cli.several import refuse_several
from cilsim.cli.streams import stdout_reserved
from cilsim.data.dataset import DataFacts
from cilsim.errors import CilsimError, DataError
from cilsim.plugins import Plugins
from cilsim.report.reproduction import (
    describe_comparison,
    published_text,
    reproduction_text,
    verdict_counts,
)
from cilsim.report.verdicts import Comparison, compare, refuse_unusable
from cilsim.runner.blame import plugins_named
from cilsim.runner.planning import data_facts, plan_stream
from cilsim.runner.request import ScenarioOutcome
from cilsim.scenario.published import Published
from cilsim.scenario.schema import Scenario

MISSED = 3
"""Exit code when a measured number is not what is published."""


@click.command("reproduce")
@click.argument("name", metavar="NAME|FILE", required=False)
@click.option("--list", "listing", is_flag=True, help="List the recipes, and whether data is here.")
@click.option("--show", is_flag=True, help="Show what is published; run nothing.")
@set_option
@click.option(
    "--seeds", type=parse_seeds, metavar="SEEDS", help="Use these seeds, such as 0,1,2 or 0-4."
)
@click.option(
    "--strategies", type=parse_labels, metavar="LABELS", help="Run and compare only these."
)
@click.option("--out", default="runs", type=FILE, show_default=True, help="Folder of all runs.")
@run_options
@plugin_option
@json_option
@shared_options
@click.pass_context
def reproduce(
    context: click.Context,
    /,
    name: str | None,
    listing: bool,
    show: bool,
    overrides: Sequence[str],
    seeds: tuple[int, ...] | None,
    strategies: tuple[str, ...] | None,
    out: Path,
    device: str | None,
    plugin_files: Sequence[Path],
    as_json: bool,
    **how: Any,
) -> int:
    """Run a recipe and compare it with what is published.

    NAME is a recipe that comes with cilsim (see --list), FILE a scenario with a section
    'published'. What is there already is not run again. The comparison goes to stdout. Exit code
    3 means that a number is missed, 2 that the data are not here.
    """
    settings = settings_of(context)
    refuse_several("reproduce")
    plugins = find_plugins(plugin_files)
    settings.show_warnings()
    if listing:
        write_recipes(recipes(plugins), plugins, as_json)
        return 0
    if name is None:
        raise click.UsageError("name a recipe or a scenario file; --list lists the recipes")
    path = find_recipe(name)
    [scenario] = load_scenarios([path], plugins, overrides, with_data=False)
    scenario = narrowed(scenario, str(path), seeds, strategies, None)
    if show:
        _show(scenario, path, as_json)
        return 0
    entries = comparable(scenario, path)
    facts = require_data(scenario, name, plugins)
    load_scenarios([path], plugins, overrides)  # now with what the data can give
    check_entries(entries, scenario, facts, plugins)
    scenario = replace(scenario, name=variant_name(scenario.name, overrides))
    execution = Execution(
        plugins, settings, out, device or "auto", as_json=as_json, plugin_files=plugin_files, **how
    )
    return _run(execution, scenario, entries)


def _run(execution: Execution, scenario: Scenario, entries: Sequence[Published]) -> int:
    """Run a scenario, write the comparison, and return the exit code."""
    outcome = execution.execute(scenario)
    comparisons = compare(entries, outcome.results) if outcome.results else ()
    _write(scenario, outcome, comparisons, execution.as_json)
    missed = any(comparison.verdict == "MISS" for comparison in comparisons)
    return execution.exit_code(outcome) or (MISSED if missed else 0)


def require_data(scenario: Scenario, name: str, plugins: Plugins) -> DataFacts:
    """Return the facts of the data.

    Raises:
        DataError: the data are not here; the message says what is missing.
    """
    try:
        return data_facts(scenario, plugins)
    except DataError as error:
        hint = f"'cilsim reproduce {name} --show' shows what is published"
        raise DataError(f"{error}; {hint}") from error


def check_entries(
    entries: Sequence[Published], scenario: Scenario, facts: DataFacts, plugins: Plugins
) -> None:
    """Refuse published numbers that the stream of the scenario can have no counterpart for.

    Raises:
        CilsimError: a metric or a count of values is wrong.
    """
    with stdout_reserved(), plugins_named(plugins):
        _, stream = plan_stream(scenario, plugins, scenario.seeds[0], facts)
    metrics = [metric.name for metric in plugins.registries.metrics]
    refuse_unusable(entries, len(stream.experiences), metrics)


def _show(scenario: Scenario, path: Path, as_json: bool) -> None:
    if not scenario.published:
        raise CilsimError(f"{path}: has no section 'published' to show")
    if as_json:
        write_json([entry.model_dump(mode="json") for entry in scenario.published])
    else:
        click.echo(published_text(scenario.published, sys.stdout.encoding or "utf-8"))


def _write(
    scenario: Scenario,
    outcome: ScenarioOutcome,
    comparisons: Sequence[Comparison],
    as_json: bool,
) -> None:
    if as_json:
        document = {
            "name": scenario.name,
            "folder": str(outcome.folder),
            "selection": scenario.evaluate.selection,
            "comparisons": [describe_comparison(comparison) for comparison in comparisons],
            "verdicts": verdict_counts(comparisons),
        }
        write_json(document)
    elif comparisons:
        encoding = sys.stdout.encoding or "utf-8"
        click.echo(reproduction_text(comparisons, scenario.evaluate.selection, encoding))
