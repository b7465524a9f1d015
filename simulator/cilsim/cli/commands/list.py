"""`cilsim list`: what can be named in a scenario, and who brings it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from cilsim.cli.catalogue import PLURALS, Row, registry_of, row_of, rows_of
from cilsim.cli.discovery import find_plugins, load_scenarios
from cilsim.cli.kinds import kind_among
from cilsim.cli.output import write_json, write_table
from cilsim.cli.parameters import FILE, json_option, plugin_option
from cilsim.cli.settings import shared_options
from cilsim.plugins import Plugins

SCENARIOS = Path("scenarios")


@click.command("list")
@click.argument("kind", metavar="KIND", type=kind_among(PLURALS))
@click.option(
    "--for", "scenario_file", metavar="FILE", type=FILE,
    help="Only strategies that serve the stream of this scenario.",
)  # fmt: skip
@plugin_option
@json_option
@shared_options
def list_(
    kind: str, scenario_file: Path | None, plugin_files: Sequence[Path], as_json: bool
) -> None:
    """List what can be named in a scenario.

    KIND is strategies, calibrators, streams, datasets, backbones, metrics, or scenarios (the
    files in ./scenarios).
    """
    if scenario_file is not None and kind != "strategy":
        raise click.UsageError("--for belongs to 'cilsim list strategies'")
    rows = _rows(kind, scenario_file, plugin_files)
    if as_json:
        write_json([asdict(row) for row in rows])
    elif rows:
        write_table(
            ("name", "also", "from", "summary"),
            [(row.name, ", ".join(row.aliases), row.owner, row.summary) for row in rows],
        )
    else:
        where = f" in ./{SCENARIOS}" if kind == "scenario" else ""
        click.echo(f"no {PLURALS[kind]} found{where}", err=True)


def _rows(kind: str, scenario_file: Path | None, plugin_files: Sequence[Path]) -> list[Row]:
    if kind == "scenario":
        from cilsim.cli.scenario_files import scenarios_in

        return scenarios_in(SCENARIOS)
    plugins = find_plugins(plugin_files)
    if scenario_file is not None:
        return _serving(scenario_file, plugins)
    return rows_of(kind, plugins)


def _serving(scenario_file: Path, plugins: Plugins) -> list[Row]:
    from cilsim.scenario.strategy_section import serves

    [scenario] = load_scenarios([scenario_file], plugins, with_data=False)
    stream = plugins.registries.streams[scenario.stream.kind]
    strategies = registry_of("strategy", plugins.registries)
    return [row_of(entry) for entry in strategies if serves(entry, stream)]
