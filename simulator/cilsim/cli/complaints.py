"""Turns what went wrong into lines for stderr and an exit code."""

from __future__ import annotations

import traceback

import click

from cilsim.cli.group import explain_usage
from cilsim.errors import CilsimError, Interrupted, ScenarioError, in_one_line

INTERNAL = 1
"""Exit code of an error that is nobody's fault but ours; the same as that of a failed run."""


def complain(error: BaseException, debug: bool = False) -> int:
    """Print what the user needs to know about `error` and return the exit code."""
    if debug and not isinstance(error, click.ClickException | click.Abort):
        click.echo("".join(traceback.format_exception(error)).rstrip(), err=True)
    for line in lines_about(error):
        click.echo(line, err=True)
    return exit_code(error)


def exit_code(error: BaseException) -> int:
    """Return 2 for what the user can mend, 130 if stopped, 1 for anything else."""
    if isinstance(error, CilsimError | click.ClickException):
        return error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return Interrupted.exit_code
    return INTERNAL


def lines_about(error: BaseException) -> list[str]:
    """Return what is printed about `error`, one complaint per line."""
    if isinstance(error, ScenarioError):
        # the lines after the first show the place in the file
        return [f"error: {problem}" for problem in error.problems]
    if isinstance(error, Interrupted):
        return str(error).splitlines()
    if isinstance(error, CilsimError):
        return [f"error: {line}" for line in str(error).splitlines()]
    if isinstance(error, click.UsageError):
        return [f"error: {explain_usage(error)}"]
    if isinstance(error, click.ClickException):
        return [f"error: {error.format_message()}"]
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return ["stopped"]
    if isinstance(error, OSError) and error.filename and error.strerror:
        return [f"error: {error.filename}: {error.strerror}; --debug shows the traceback"]
    return [_internal(error)]


def _internal(error: BaseException) -> str:
    return f"internal error: {in_one_line(error)}; run again with --debug for the traceback"
