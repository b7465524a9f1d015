"""`cilsim data`: what there is of published data sets; fetching and verifying them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from cilsim.cli.discovery import find_plugins
from cilsim.cli.group import LateCommand, LateGroup
from cilsim.cli.output import write_json, write_table
from cilsim.cli.parameters import json_option, plugin_option
from cilsim.cli.publications import publication_of
from cilsim.cli.settings import shared_options
from cilsim.data.holdings import holdings_of, state_of
from cilsim.registry import Entry
from cilsim.report.formatting import ABSENT, size

_HERE = "cilsim.cli.commands"
COMMANDS = {
    "list": LateCommand(f"{_HERE}.data:list_sets", "List data sets and what there is of them."),
    "fetch": LateCommand(f"{_HERE}.data_fetch:fetch_sets", "Fetch the files of data sets."),
    "verify": LateCommand(
        f"{_HERE}.data_verify:verify_sets", "Compare files of data sets with their checksums."
    ),
    "stats": LateCommand(
        f"{_HERE}.data_stats:stats", "Show samples per class, sizes, gaps and duplicates."
    ),
}
NO_FILES = "needs none"


@dataclass(frozen=True)
class Row:
    """A data set in the list.

    Attributes:
        name: how a scenario names it.
        owner: distribution and version of the plugin that brings it.
        classes: number of classes; None if it depends on options or is not known.
        train: number of training samples, likewise.
        test: number of test samples, likewise.
        bytes: size of all files as published; None if it is not published.
        state: there, incomplete, absent, or `needs none` if there are no files to fetch.
        fetchable: whether `cilsim data fetch` can fetch it.
        root: its folder.
        licence: in a few words.
        source: where it is published, and what to know for getting it by hand.
    """

    name: str
    owner: str
    classes: int | None = None
    train: int | None = None
    test: int | None = None
    bytes: int | None = None
    state: str = NO_FILES
    fetchable: bool = False
    root: str | None = None
    licence: str | None = None
    source: str | None = None


@click.group("data", cls=LateGroup, late=COMMANDS)
@shared_options
def data() -> None:
    """See, fetch and verify published data sets; look into any.

    No other command fetches data sets. They lie in folders of the data root, which CILSIM_DATA
    chooses.
    """


@click.command("list")
@plugin_option
@json_option
@shared_options
def list_sets(plugin_files: Sequence[Path], as_json: bool) -> None:
    """List data sets: numbers, size, what there is of them and where, licence, source.

    Nothing is read but the names of files; 'cilsim data verify' compares what they hold.
    """
    entries = find_plugins(plugin_files).registries.datasets
    rows = [_row(entry) for entry in entries]
    if as_json:
        write_json([asdict(row) for row in rows])
        return
    heads = ("name", "classes", "samples", "size", "there", "folder", "licence", "source")
    write_table(heads, [_cells(row) for row in rows])


def _row(entry: Entry) -> Row:
    publication = publication_of(entry)
    owner = str(entry.owner).strip()
    if publication is None:
        return Row(entry.name, owner)
    root = publication.root(None)
    needed = bool(publication.files)
    return Row(
        entry.name,
        owner,
        publication.classes,
        publication.train,
        publication.test,
        publication.size or None,
        state_of(holdings_of(publication, root)) if needed else NO_FILES,
        publication.fetchable,
        str(root) if needed else None,
        publication.licence,
        publication.source,
    )


def _cells(row: Row) -> tuple[str, ...]:
    counts = [ABSENT if count is None else str(count) for count in (row.train, row.test)]
    return (
        row.name,
        ABSENT if row.classes is None else str(row.classes),
        " + ".join(counts) if row.train is not None else ABSENT,
        ABSENT if row.bytes is None else size(row.bytes),
        row.state,
        row.root or ABSENT,
        row.licence or ABSENT,
        row.source or ABSENT,
    )
