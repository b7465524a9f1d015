"""`cilsim cache`: what is kept because making it again takes time, and clearing it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import click

from cilsim.cli.group import LateCommand, LateGroup
from cilsim.cli.output import write_json, write_table
from cilsim.cli.parameters import json_option
from cilsim.cli.settings import shared_options
from cilsim.data.cached_sets import cached_sets, clear_sets
from cilsim.data.places import cache_root, store_root
from cilsim.report.formatting import size
from cilsim.results.cache import ContentStore
from cilsim.results.cache_entry import CacheEntry

_HERE = "cilsim.cli.commands.cache"
COMMANDS = {
    "list": LateCommand(f"{_HERE}:list_entries", "List what is in the cache."),
    "clear": LateCommand(f"{_HERE}:clear", "Remove what is in the cache."),
    "path": LateCommand(f"{_HERE}:path", "Print where the cache is."),
}
DATA = "data"
KINDS = ("base", "features", DATA)
_SHOWN = 12
"""Digits of a key in the table."""


@dataclass(frozen=True)
class Row:
    """One entry of the cache.

    Attributes:
        kind: trained base, features, or data set.
        key: hash of what the entry depends on; for a data set, after its name.
        bytes: its size on the disk.
        used: when it was last used or, for a data set, made; ISO 8601, UTC.
        about: what its writer said of it.
    """

    kind: str
    key: str
    bytes: int
    used: str
    about: str


@click.group("cache", cls=LateGroup, late=COMMANDS)
@shared_options
def cache() -> None:
    """See or clear what can be made again.

    That is trained bases, features and decoded data sets.
    """


@click.command("list")
@json_option
@shared_options
def list_entries(as_json: bool) -> None:
    """List what is in the cache, the least recently used first."""
    rows = sorted(_rows(), key=lambda row: row.used)
    if as_json:
        write_json([asdict(row) for row in rows])
        return
    if rows:
        write_table(
            ("kind", "key", "size", "used", "about"),
            [(row.kind, _short(row), size(row.bytes), row.used, row.about) for row in rows],
        )
    total = sum(row.bytes for row in rows)
    click.echo(f"{len(rows)} entries, {size(total)} in {cache_root()}", err=True)


@click.command("clear")
@click.argument("kind", metavar="[KIND]", required=False, type=click.Choice(KINDS))
@json_option
@shared_options
def clear(kind: str | None, as_json: bool) -> None:
    """Remove what is in the cache; it costs time to make it again, nothing else.

    KIND is base, features, or data (decoded data sets); without it, all of them go.
    """
    doomed = [row for row in _rows() if kind in (None, row.kind)]
    if kind != DATA:
        ContentStore(store_root()).clear(kind)
    if kind in (None, DATA):
        clear_sets()
    total = sum(row.bytes for row in doomed)
    if as_json:
        write_json({"removed": len(doomed), "bytes": total})
    else:
        click.echo(f"{len(doomed)} entries removed, {size(total)}", err=True)


@click.command("path")
@json_option
@shared_options
def path(as_json: bool) -> None:
    """Print where the cache is; CILSIM_CACHE chooses another place."""
    if as_json:
        write_json({"path": str(cache_root())})
    else:
        click.echo(cache_root())


def _rows() -> Iterator[Row]:
    for entry in ContentStore(store_root()).entries():
        yield Row(entry.kind, entry.key, entry.bytes, _time(entry.used), _about(entry))
    for one in cached_sets():
        name, _, key = one.folder.name.rpartition("-")
        yield Row(DATA, key, one.bytes, _time(one.made), name)


def _about(entry: CacheEntry) -> str:
    facts = entry.facts
    if "trained_by" in facts:
        return f"trained by {facts['trained_by']}"
    if "samples" in facts:
        return f"{facts['samples']} samples of {facts['feature_size']} by {facts['backbone']}"
    return "damaged" if not facts else ""


def _short(row: Row) -> str:
    return row.key[:_SHOWN]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
