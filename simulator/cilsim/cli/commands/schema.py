"""`cilsim schema`: the JSON Schema of scenario files, for editors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from cilsim.cli.discovery import find_plugins
from cilsim.cli.output import write_json
from cilsim.cli.parameters import plugin_option
from cilsim.cli.settings import shared_options


@click.command("schema")
@plugin_option
@shared_options
def schema(plugin_files: Sequence[Path]) -> None:
    """Print the JSON Schema of scenario files.

    It holds the options of the installed plugins. In an editor with the YAML language server the
    first line `# yaml-language-server: $schema=scenario.schema.json` turns it on.
    """
    from cilsim.scenario.json_schema import json_schema

    write_json(json_schema(find_plugins(plugin_files).registries))
