"""Finds what is published of a data set that is named on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from cilsim.cli.discovery import find_plugins
from cilsim.data.publication import Publication
from cilsim.errors import DataError, PluginError
from cilsim.naming import did_you_mean
from cilsim.registry import Entry, load_target

names_argument = click.argument("names", metavar="NAME...", nargs=-1, required=True)
root_option = click.option(
    "--root", metavar="DIR", type=click.Path(path_type=Path),
    help="The data set's folder; by default that with its name in the data root.",
)  # fmt: skip


def publication_of(entry: Entry) -> Publication | None:
    """Return what is published of a data set, None if it has no files to fetch.

    Raises:
        PluginError: a plugin registered something else.
    """
    target = entry.facts.get("publication")
    if target is None:
        return None
    found = load_target(target, entry)
    if not isinstance(found, Publication):
        raise PluginError(
            entry.owner.plugin,
            f"data set '{entry.name}' of {entry.owner} is registered with a publication of type "
            f"{type(found).__name__} - expected cilsim.data.publication.Publication",
        )
    return found


def find_publications(
    names: Sequence[str], root: Path | None, plugin_files: Sequence[Path]
) -> list[Publication]:
    """Return what is published of each named data set.

    Raises:
        DataError: there is no such data set, or it has no files to fetch.
    """
    if root is not None and len(names) > 1:
        raise click.UsageError("--root is the folder of one data set; name one at a time")
    registry = find_plugins(plugin_files).registries.datasets
    known = [entry.name for entry in registry]
    found = []
    for name in dict.fromkeys(names):
        if name not in registry:
            raise DataError(
                f"data set '{name}': there is none of this name{did_you_mean(name, known)} - "
                "'cilsim data list' shows all"
            )
        publication = publication_of(registry[name])
        if publication is None or not publication.files:
            raise DataError(
                f"data set '{name}': it has no published files - a scenario can use it as it is"
            )
        found.append(publication)
    return found
