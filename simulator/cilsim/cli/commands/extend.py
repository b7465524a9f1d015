"""`cilsim extend`: one more class for a finished model, from a few samples."""

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


@click.command("extend")
@click.argument("source", metavar="MODEL", type=FILE)
@click.option("--class", "name", required=True, metavar="NAME", help="Name of the new class.")
@click.argument("files", metavar="FILES...", nargs=-1, required=True, type=FILE)
@click.option("--out", required=True, type=FILE, help="Folder of the new model; it must be new.")
@click.option(
    "--after", type=click.IntRange(0), metavar="N", help="Go on from a run after experience N."
)
@plugin_option
@json_option
@shared_options
@click.pass_context
def extend(
    context: click.Context,
    source: Path,
    name: str,
    files: Sequence[Path],
    out: Path,
    after: int | None,
    plugin_files: Sequence[Path],
    as_json: bool,
) -> None:
    """Add a class to a model from a few images or rows.

    MODEL is an exported model or a run, and stays as it is. FILES are as for predict, all of the
    new class: a table that has the column of the class has to say so. The class is learnt as the
    next experience of the stream; no network is trained, so that old classes lose only what the new
    one takes. For strategies such as nmc, teen, slda, fecam, fetril and ranpac.
    """
    plugins = find_plugins(plugin_files)
    settings_of(context).show_warnings()
    prepare_environment()
    from cilsim.deploy.extension import extended
    from cilsim.deploy.model_folder import write_model
    from cilsim.deploy.opening import open_model
    from cilsim.deploy.sample_files import samples_to_learn

    with stdout_reserved():
        model = open_model(source, plugins, after)
        x = samples_to_learn(files, model.input, name)
        with extended(model, plugins, name, x) as (longer, back):
            write_model(out, longer, back)
    if as_json:
        write_json({"folder": str(out), "classes": list(longer.stream.class_names)})
    else:
        click.echo(out)
