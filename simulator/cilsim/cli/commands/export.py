"""`cilsim export`: the model of a run as plain files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from cilsim.cli.busyness import prepare_environment
from cilsim.cli.discovery import find_plugins
from cilsim.cli.output import write_json
from cilsim.cli.parameters import FILE, json_option, plugin_option
from cilsim.cli.settings import settings_of, shared_options
from cilsim.cli.streams import stdout_reserved


@click.command("export")
@click.argument("source", metavar="RUN", type=FILE)
@click.option("--out", required=True, type=FILE, help="Folder of the model; it must be new.")
@click.option(
    "--after", type=click.IntRange(0), metavar="N", help="The model as it was after experience N."
)
@plugin_option
@json_option
@shared_options
@click.pass_context
def export(
    context: click.Context,
    source: Path,
    out: Path,
    after: int | None,
    plugin_files: Sequence[Path],
    as_json: bool,
) -> None:
    """Write the model of a run as plain files.

    RUN is the folder of one strategy and seed, such as runs/a/teen/seed-0, or of a scenario with
    one run. The files need torch alone: load_plain.py among them shows how.
    """
    plugins = find_plugins(plugin_files)
    settings_of(context).show_warnings()
    prepare_environment()
    from cilsim.deploy.model_folder import write_model
    from cilsim.deploy.opening import open_model
    from cilsim.deploy.revival import revived

    with stdout_reserved():
        model = open_model(source, plugins, after)
        with revived(model, plugins) as back:
            write_model(out, model, back)
    if as_json:
        write_json({"folder": str(out), "classes": list(model.stream.class_names)})
    else:
        click.echo(out)
