"""`cilsim info`: one page about something that a scenario can name."""

from __future__ import annotations

import inspect
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

import click

from cilsim.cli.catalogue import (
    PLURALS,
    REGISTERED,
    Row,
    engine_metrics,
    registry_of,
    row_of,
    rows_of,
)
from cilsim.cli.discovery import find_plugins
from cilsim.cli.kinds import kind_among
from cilsim.cli.option_rows import OptionRow, option_rows
from cilsim.cli.output import write_json
from cilsim.cli.parameters import json_option, plugin_option
from cilsim.cli.settings import shared_options
from cilsim.errors import CilsimError
from cilsim.naming import did_you_mean
from cilsim.plugins import Plugins
from cilsim.registry import Entry
from cilsim.scenario.strategy_section import serves

MOST_COLUMNS = 100
_SPOKEN = {"stream": "stream kind", "dataset": "data set"}


@dataclass(frozen=True)
class Page:
    """All that is said about one thing.

    Attributes:
        kind: in the singular.
        row: as in `cilsim list`.
        serves: stream kinds that a strategy serves.
        code: where it is.
        about: the docstring of the plugin's package, where its paper is named.
        options: what a scenario can set.
    """

    kind: str
    row: Row
    serves: tuple[str, ...] = ()
    code: str = ""
    about: str = ""
    options: tuple[OptionRow, ...] = ()


@click.command("info")
@click.argument("kind", metavar="KIND")
@click.argument("name", metavar="NAME", required=False)
@plugin_option
@json_option
@shared_options
def info(kind: str, name: str | None, plugin_files: Sequence[Path], as_json: bool) -> None:
    """Explain one strategy, stream kind, data set, ...

    KIND is strategy, calibrator, stream, dataset, backbone or metric; NAME as in a scenario.
    """
    plugins = find_plugins(plugin_files)
    if name is None:
        raise click.UsageError(_incomplete(kind, plugins))
    kind = kind_among(REGISTERED)(kind)
    page = _page(kind, name, plugins)
    if as_json:
        document = asdict(page)
        write_json({"kind": kind, **document.pop("row"), **document})
    else:
        _write(page)


def _incomplete(given: str, plugins: Plugins) -> str:
    """Return what is missing where one word is given: the kind of a name, or a name."""
    for kind in REGISTERED:
        if given in {name for row in rows_of(kind, plugins) for name in (row.name, *row.aliases)}:
            return f"'{given}' is a {_SPOKEN.get(kind, kind)}; try 'cilsim info {kind} {given}'"
    return f"no name is given; 'cilsim list {PLURALS[kind_among(REGISTERED)(given)]}' lists them"


def _page(kind: str, name: str, plugins: Plugins) -> Page:
    registry = registry_of(kind, plugins.registries)
    if name in registry:
        return _page_of(kind, registry[name], plugins)
    own = {row.name: row for row in engine_metrics()} if kind == "metric" else {}
    if name in own:
        return Page(kind, own[name])
    raise CilsimError(
        f"no {registry.kind} is named '{name}'{did_you_mean(name, (*registry.names(), *own))}"
    )


def _page_of(kind: str, entry: Entry, plugins: Plugins) -> Page:
    return Page(
        kind=kind,
        row=row_of(entry),
        serves=_serves(entry, plugins) if kind == "strategy" else (),
        code=entry.target if isinstance(entry.target, str) else entry.target.__qualname__,
        about=_about(entry, plugins),
        options=tuple(option_rows(entry.option_model())),
    )


def _serves(entry: Entry, plugins: Plugins) -> tuple[str, ...]:
    return tuple(kind.name for kind in plugins.registries.streams if serves(entry, kind))


def _about(entry: Entry, plugins: Plugins) -> str:
    if entry.owner.plugin == "cilsim":  # its docstring is not about this entry
        return ""
    for plugin in plugins.loaded:
        if plugin.name == entry.owner.plugin and isinstance(plugin.implementation, ModuleType):
            return inspect.cleandoc(plugin.implementation.__doc__ or "")
    return ""


def _write(page: Page) -> None:
    row = page.row
    click.secho(f"{page.kind} {row.name}", bold=True)
    _write_text(row.summary, "")
    click.echo()
    for heading, text in (
        ("also", ", ".join(row.aliases)),
        ("from", row.owner),
        ("serves", ", ".join(page.serves)),
        ("code", page.code),
        ("about", page.about),
    ):
        if text:
            _write_text(text, f"{heading:<8}")
    if page.options:
        click.secho("\noptions", bold=True)
        for option in page.options:
            click.echo(f"  {option.name}: {option.type}; {option.shown_default}")
            _write_text(option.description, "      ")


def _write_text(text: str, before: str) -> None:
    """Write paragraphs with a hanging indent as wide as `before`."""
    width = min(MOST_COLUMNS, shutil.get_terminal_size((MOST_COLUMNS, 24)).columns)
    indent = " " * len(before)
    for paragraph in filter(None, text.split("\n\n")):
        click.echo(textwrap.fill(paragraph, width, initial_indent=before, subsequent_indent=indent))
        before = indent
