"""A click group whose commands are imported when they are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from cilsim.naming import did_you_mean, nearest


@dataclass(frozen=True)
class LateCommand:
    """Where a command is, and what the list of commands says about it.

    Attributes:
        target: `package.module:attribute`.
        summary: the first line of the command's help.
    """

    target: str
    summary: str


class LateGroup(click.Group):
    """A group that knows its commands by name; listing them imports none.

    Args:
        late: the commands in the order in which they are listed.
    """

    def __init__(self, *args: Any, late: Mapping[str, LateCommand], **options: Any) -> None:
        super().__init__(*args, **options)
        self.late = late

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(self.late)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or None if there is no such name."""
        if cmd_name not in self.late:
            return None
        module, _, attribute = self.late[cmd_name].target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, late.summary) for name, late in self.late.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name.

        Raises:
            click.UsageError: there is none; the message has the nearest name.
        """
        name = args[0]
        if name in self.late or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        raise click.UsageError(
            f"there is no command '{name}'{did_you_mean(name, self.late)}", ctx=ctx
        )


def explain_usage(error: click.UsageError) -> str:
    """Return click's complaint as one line of ours, with the nearest option or value."""
    if isinstance(error, click.NoSuchOption):
        return f"there is no option '{error.option_name}'{_nearest_option(error)}"
    line = " ".join(error.format_message().split()).removesuffix(".")
    return line[:1].lower() + line[1:] + _nearest_choice(error)


def _nearest_choice(error: click.UsageError) -> str:
    """Return the nearest of the values that an option takes, if one is near what it was given."""
    if not (isinstance(error, click.BadParameter) and error.param is not None):
        return ""
    values = error.param.type
    given = re.match(r"'(.*?)' is not one of ", error.message)
    if given is None or not isinstance(values, click.Choice):
        return ""
    match = nearest(given[1], map(str, values.choices))
    return f"; did you mean '{match}'?" if match else ""


def _nearest_option(error: click.NoSuchOption) -> str:
    if error.ctx is None:
        return ""
    known = [
        name
        for parameter in error.ctx.command.get_params(error.ctx)
        if isinstance(parameter, click.Option)
        for name in parameter.opts
        if name.startswith("--")
    ]
    match = nearest(error.option_name, known)
    return f"; did you mean '{match}'?" if match else f"; see '{error.ctx.command_path} --help'"
