"""`cilsim plugin new`: a complete distribution with a plugin that works, to start from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from cilsim.cli.discovery import find_plugins
from cilsim.cli.output import write_json
from cilsim.cli.parameters import FILE, json_option
from cilsim.cli.plugin_template import KINDS, Kind, Naming, parse_name, write_distribution
from cilsim.cli.settings import shared_options
from cilsim.errors import CilsimError
from cilsim.plugins import Plugins


@click.command("new")
@click.argument("name", metavar="NAME")
@click.option(
    "--dir", "parent", default=".", type=FILE, metavar="FOLDER",
    help="Where the distribution's folder is made; the current folder by default.",
)  # fmt: skip
@click.option(
    "--kind", default="strategy", type=click.Choice(KINDS), show_default=True,
    help="What it adds: a strategy, a strategy of discovery, or a calibrator.",
)  # fmt: skip
@json_option
@shared_options
def new(name: str, parent: Path, kind: Kind, as_json: bool) -> None:
    """Write a new plugin, ready to be published.

    NAME is small letters and hyphens, such as my-strategy; the folder is cilsim-my-strategy. It
    holds a strategy that works, its tests, a scenario, README, licence and a CI workflow.
    """
    naming = parse_name(name)
    _refuse_taken(naming, kind, find_plugins())
    folder, written = write_distribution(naming, kind, parent)
    if as_json:
        places = [str(path.relative_to(folder)) for path in written]
        write_json({"folder": str(folder), "name": naming.name, "files": places})
        return
    click.echo(folder)
    for line in (
        "next:",
        f"  {shlex.join(['cd', str(folder)])}",
        "  pip install -e '.[test]'",
        "  pytest",
        "  cilsim run scenario.yaml",
    ):
        click.echo(line, err=True)


def _refuse_taken(naming: Naming, kind: Kind, plugins: Plugins) -> None:
    """Raise the error about a name that could not be registered."""
    registries = plugins.registries
    registry = registries.calibrators if kind == "calibrator" else registries.strategies
    if naming.name in registry:
        owner = registry[naming.name].owner
        raise CilsimError(
            f"plugin name '{naming.hyphened}': {registry.kind} '{naming.name}' is taken by {owner}"
        )
    for plugin in plugins.loaded:
        if plugin.name == naming.name:
            raise CilsimError(
                f"plugin name '{naming.hyphened}': a plugin of {plugin.owner} has it already"
            )
