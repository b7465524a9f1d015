"""`cilsim plugin list`: which plugins there are, what they hook into, and which are broken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cilsim.cli.discovery import find_plugins
from cilsim.cli.group import LateCommand, LateGroup
from cilsim.cli.output import write_json, write_table
from cilsim.cli.parameters import json_option, plugin_option
from cilsim.cli.settings import shared_options
from cilsim.registration import Plugin

_PREFIX = "cilsim_"
_HERE = "cilsim.cli.commands"
COMMANDS = {
    "list": LateCommand(f"{_HERE}.plugin:list_plugins", "List installed plugins."),
    "new": LateCommand(f"{_HERE}.plugin_new:new", "Write a new plugin, ready to be published."),
    "check": LateCommand(f"{_HERE}.plugin_check:check", "Try whether a plugin keeps its promises."),
}


@click.group("plugin", cls=LateGroup, late=COMMANDS)
@shared_options
def plugin() -> None:
    """See, write and check plugins."""


@click.command("list")
@plugin_option
@json_option
@shared_options
def list_plugins(plugin_files: Sequence[Path], as_json: bool) -> None:
    """List installed plugins.

    A broken one is listed with the reason; it stops nothing that does not use it.
    """
    found = find_plugins(plugin_files)
    everything = [*found.loaded, *found.broken]
    if as_json:
        write_json([_record(one) for one in everything])
        return
    write_table(
        ("name", "from", "hooks"),
        [(one.name, str(one.owner).strip(), _state(one)) for one in everything],
    )


def _record(one: Plugin) -> dict[str, Any]:
    return {
        "name": one.name,
        "distribution": one.owner.distribution,
        "version": one.owner.version,
        "module": one.module,
        "hooks": list(one.hooks),
        "error": one.error,
    }


def _state(one: Plugin) -> str:
    if one.error:
        return f"broken: {one.error}"
    return ", ".join(hook.removeprefix(_PREFIX) for hook in one.hooks)
