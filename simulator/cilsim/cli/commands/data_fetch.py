"""`cilsim data fetch`: brings the files of published data sets to this machine."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cilsim.cli.fetch_progress import shown_progress
from cilsim.cli.output import write_json
from cilsim.cli.parameters import json_option, plugin_option
from cilsim.cli.publications import find_publications, names_argument, root_option
from cilsim.cli.settings import settings_of, shared_options
from cilsim.data.download import Patience
from cilsim.data.fetching import Fetched, fetch
from cilsim.data.publication import Publication
from cilsim.errors import Interrupted
from cilsim.report.formatting import size


@click.command("fetch")
@names_argument
@root_option
@click.option(
    "--retries", default=Patience.retries, show_default=True, type=click.IntRange(0, 1000),
    help="How often in a row a connection may fail before it is given up.",
)  # fmt: skip
@plugin_option
@json_option
@shared_options
@click.pass_context
def fetch_sets(
    context: click.Context,
    names: Sequence[str],
    root: Path | None,
    retries: int,
    plugin_files: Sequence[Path],
    as_json: bool,
) -> None:
    """Fetch the files of data sets, and compare them with their published checksums.

    What is there already is kept, what was begun is gone on with. Nothing is unpacked: archives are
    read as they are.
    """
    publications = find_publications(names, root, plugin_files)
    found = {}
    with shown_progress(settings_of(context).quiet) as progress_of:
        for publication in publications:
            try:
                place = publication.root(root)
                fetched = fetch(publication, place, progress_of, Patience(retries))
            except KeyboardInterrupt as error:
                raise Interrupted(_how_to_go_on(publication, root)) from error
            found[publication.name] = fetched
    if as_json:
        write_json([_document(name, files) for name, files in found.items()])
        return
    for name, files in found.items():
        for file in files:
            click.echo(_line(name, file))


def _how_to_go_on(publication: Publication, root: Path | None) -> str:
    command = ["cilsim", "data", "fetch", publication.name]
    command += [] if root is None else ["--root", str(root)]
    return f"stopped; go on with: {shlex.join(command)}"


def _document(name: str, files: Sequence[Fetched]) -> dict[str, Any]:
    return {
        "name": name,
        "files": [{**asdict(file), "path": str(file.path)} for file in files],
    }


def _line(name: str, file: Fetched) -> str:
    told = {
        "fetched": f"fetched, {size(file.bytes)}",
        "there": f"there already, {size(file.bytes)}",
        "unpacked": "unpacked already",
    }
    return f"{name}: {file.file}  {told[file.state]}  {file.path}"
