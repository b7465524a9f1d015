"""The entry point: runs a command, turns what went wrong into lines and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from cilsim import __version__
from cilsim.cli.complaints import INTERNAL, complain
from cilsim.cli.group import LateCommand, LateGroup
from cilsim.cli.one_voice import Voice
from cilsim.cli.settings import Settings, log_lines, shared_options
from cilsim.cli.streams import forget_stdout, lasting_streams
from cilsim.distributed.placement import placement
from cilsim.errors import CilsimError

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
    "compare": LateCommand(f"{_HERE}.compare:compare_", "Compare strategies, with statistics."),
    "diff": LateCommand(f"{_HERE}.diff:diff", "Say what differs between two runs."),
    "verify": LateCommand(
        f"{_HERE}.verify:verify", "Say whether stored runs are what was written."
    ),
    "runs": LateCommand(
        f"{_HERE}.runs:runs", "List the runs below a folder, with their final metrics."
    ),
    "sweep": LateCommand(
        f"{_HERE}.sweep:sweep", "Run strategies x scenarios x seeds x options, many at a time."
    ),
    "advise": LateCommand(
        f"{_HERE}.advise:advise", "Try strategies on your data and recommend a scenario."
    ),
    "export": LateCommand(f"{_HERE}.export:export", "Write the model of a run as plain files."),
    "predict": LateCommand(
        f"{_HERE}.predict:predict", "Print the classes of images, or of rows of tables and arrays."
    ),
    "extend": LateCommand(
        f"{_HERE}.extend:extend", "Add a class to a model from a few images or rows."
    ),
    "list": LateCommand(f"{_HERE}.list:list_", "List what can be named in a scenario."),
    "info": LateCommand(f"{_HERE}.info:info", "Explain one strategy, stream kind, data set, ..."),
    "data": LateCommand(
        f"{_HERE}.data:data", "See, fetch and verify published data sets; look into any."
    ),
    "plugin": LateCommand(f"{_HERE}.plugin:plugin", "See, write and check plugins."),
    "cache": LateCommand(f"{_HERE}.cache:cache", "See or clear what can be made again."),
    "schema": LateCommand(f"{_HERE}.schema:schema", "Print the JSON Schema of scenario files."),
    "bench": LateCommand(f"{_HERE}.bench:bench", "Measure the engine on this machine."),
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
    given = sys.argv[1:] if arguments is None else arguments
    settings = Settings(arguments=tuple(given))
    with lasting_streams(), log_lines(settings):
        try:
            code = _run_in_place(settings)
            settings.show_warnings()
            sys.stdout.flush()
        except BrokenPipeError:
            forget_stdout()
            code = INTERNAL
        except CilsimError as error:  # stdout is full
            code = complain(error, settings.debug)
    return code


def _run_in_place(settings: Settings) -> int:
    """Run the command; if it is one of several processes that do, as such."""
    try:
        voice = Voice(placement(), settings)
    except CilsimError as error:
        return complain(error, settings.debug)
    with voice.hushed():
        return _run(settings, voice)


def _run(settings: Settings, voice: Voice) -> int:
    stdout = sys.stdout
    try:
        result = cilsim.main(
            list(settings.arguments), prog_name="cilsim", standalone_mode=False, obj=settings
        )
    except BrokenPipeError:
        raise
    except SystemExit as error:
        if sys.stdout is not stdout:  # click met a broken pipe and put a stream in its place
            raise BrokenPipeError from error
        return complain(error, settings.debug)
    except BaseException as error:  # complain() names it; --debug shows it all
        voice.speak_of(error)
        return complain(error, settings.debug)
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
