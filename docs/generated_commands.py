"""The reference of the command line, from the commands themselves: see docs/generated.py."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import click

from cilsim.cli.main import cilsim

EVERYWHERE = {"--help", "--debug", "--quiet", "--verbose", "--json", "--plugin"}
"""Options that the page explains once."""
Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]


def commands(table: Table) -> str:
    """Return a section for each command: how it is called, what it does, its own options."""
    return "\n".join(_section(path, command, table) for path, command in _all(cilsim, "cilsim"))


def _all(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _all(command, f"{path} {name}")
        elif command is not None:
            yield f"{path} {name}", command


def _section(path: str, command: click.Command, table: Table) -> str:
    pieces = command.collect_usage_pieces(click.Context(command))
    usage = " ".join([path, *(piece for piece in pieces if piece != "[OPTIONS]")])
    options = [
        parameter
        for parameter in command.params
        if isinstance(parameter, click.Option) and not EVERYWHERE & set(parameter.opts)
    ]
    rows = [_row(option, command) for option in options if not option.hidden]
    shown = "\n" + table(("option", "meaning"), rows) if rows else ""
    heading = path.removeprefix("cilsim ")
    return f"### {heading}\n\n```text\n{usage}\n```\n\n{_prose(command.help or '')}\n{shown}"


def _prose(text: str) -> str:
    """Return the help without line breaks within paragraphs."""
    paragraphs = inspect.cleandoc(text).replace("\b\n", "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _row(option: click.Option, command: click.Command) -> tuple[str, str]:
    record = option.get_help_record(click.Context(command))
    names, meaning = record or (", ".join(option.opts), option.help or "")
    return f"`{names}`", re.sub(r"\s+", " ", meaning)
