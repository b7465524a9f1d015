"""The entry point: runs a command, turns what went wrong into lines and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import click

from cilsim import __version__
from cilsim.cli.complaints import INTERNAL, complain
from cilsim.cli.group import LateCommand, LateGroup
from cilsim.cli.settings import Settings, log_lines, shared_options

_HERE = "cilsim.cli.commands"
COMMANDS = {
    "run": LateCommand(f"{_HERE}.run:run", "Run scenarios: every strategy with every seed."),
    "resume": LateCommand(f"{_HERE}.resume:resume", "Go on with an interrupted run."),
    "reproduce": LateCommand(
        f"{_HERE}.reproduce:reproduce", "Run a recipe and compare it with what is published."
    ),
    "check": LateCommand(f"{_HERE}.check:check", "Say whether scenarios can be run."),
    "plan": LateCommand(f"{_HERE}.plan:plan", "Show the resolved stream without running it."),
    "report": LateCommand(f"{_HERE}.report:report", "Rebuild the report of finished runs."),
    "list": LateCommand(f"{_HERE}.list:list_", "List what can be named in a scenario."),
    "info": LateCommand(f"{_HERE}.info:info", "Explain one strategy, stream kind, data set, ..."),
    "plugin": LateCommand(f"{_HERE}.plugin:plugin", "See the plugins."),
    "schema": LateCommand(f"{_HERE}.schema:schema", "Print the JSON Schema of scenario files."),
    "doctor": LateCommand(f"{_HERE}.doctor:doctor", "Check that this machine is ready."),
    "completion": LateCommand(f"{_HERE}.completion:completion", "Print a completion script."),
}


@click.command(cls=LateGroup, late=COMMANDS, invoke_without_command=True)
@click.version_option(__version__, prog_name="cilsim", message="%(prog)s %(version)s")
@shared_options
@click.pass_context
def cilsim(context: click.Context) -> None:
    """Run continual-learning experiments that are described in scenario files."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: without the program's name; those of the process if None.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a table must not end a run on an ASCII terminal
    settings = Settings()
    with log_lines(settings):
        try:
            code = _run(arguments, settings)
            settings.show_warnings()
            sys.stdout.flush()
        except BrokenPipeError:
            _forget_stdout()
            code = INTERNAL
    return code


def _run(arguments: Sequence[str] | None, settings: Settings) -> int:
    try:
        result = cilsim.main(arguments, prog_name="cilsim", standalone_mode=False, obj=settings)
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:  # complain() names it; --debug shows it all
        return complain(error, settings.debug)
    return result if isinstance(result, int) else 0


def _forget_stdout() -> None:
    """Let Python's own flush at exit go nowhere: whoever read our output has left."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
