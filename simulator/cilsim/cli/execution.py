"""Runs one scenario on behalf of `run` and `resume`, and tells what came out of it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from cilsim.cli.busyness import spins_while_waiting
from cilsim.cli.outcome_document import describe_outcome
from cilsim.cli.output import write_json
from cilsim.cli.report_files import write_reports
from cilsim.cli.streams import forget_stdout, stdout_reserved
from cilsim.distributed.processes import ALONE, Processes
from cilsim.errors import Interrupted, OutOfStep, RunFailed
from cilsim.plugins import Plugins
from cilsim.records import RunResult
from cilsim.report.final_table import closing_lines, final_table
from cilsim.report.scalar_log import ScalarLog, read_scalars
from cilsim.report.terminal import NORMAL, QUIET, VERBOSE, TerminalReporter
from cilsim.results.run_folder import RunFolder
from cilsim.results.scenario_files import RESOLVED
from cilsim.runner.interruption import AT_ONCE, StopRequest, stop_on_signals
from cilsim.runner.request import RunRequest, RunStart, ScenarioOutcome
from cilsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from cilsim.cli.settings import Settings


SHOW_CURSOR = "\x1b[?25h"


@dataclass(frozen=True)
class Execution:
    """How scenarios are to be run.

    Attributes:
        plugins: what is installed.
        settings: how much is told.
        out: folder that holds the run folders.
        device: as for `RunRequest`.
        cache: whether base training is reused across commands.
        tensorboard: whether event files are written.
        as_json: whether stdout gets a JSON document in place of the folder's path.
        plugin_files: plugins that a command to go on has to name again.
        checkpoint_every: in place of the scenario's `checkpoints.every`, if given.
        processes: those that run together; all but the first write to a folder that is removed.
        started: how many of them a command to go on has to start again, if any.
    """

    plugins: Plugins
    settings: Settings
    out: Path
    device: str
    cache: bool
    tensorboard: bool
    as_json: bool
    plugin_files: Sequence[Path] = ()
    checkpoint_every: str | None = None
    processes: Processes = ALONE
    started: int | None = None

    def run(self, scenario: Scenario) -> int:
        """Run a scenario, write its reports, tell the results, and return the exit code.

        Raises:
            CilsimError: nothing could be run.
            Interrupted: the user asked to stop; the message says how to go on.
        """
        outcome = self.execute(scenario)
        try:
            if self.as_json:
                write_json(describe_outcome(outcome), indent=None)
            else:
                click.echo(outcome.folder)
        except BrokenPipeError:  # who reads stdout has left; the scenarios to come are still run
            forget_stdout()
        return self.exit_code(outcome)

    def execute(self, scenario: Scenario) -> ScenarioOutcome:
        """Run a scenario, write its reports, tell the results on stderr, and return them.

        Raises:
            CilsimError: nothing could be run.
            Interrupted: the user asked to stop; the message says how to go on.
        """
        if self.checkpoint_every is not None:
            changes = {"every": self.checkpoint_every}
            checkpoints = scenario.checkpoints.model_copy(update=changes)
            scenario = replace(scenario, checkpoints=checkpoints)
        outcome = self._run(scenario)
        self._tell(outcome)
        return outcome

    def exit_code(self, outcome: ScenarioOutcome) -> int:
        """Return 0, or 1 after telling which runs failed."""
        if not outcome.failures:
            return 0
        click.echo(f"error: {self._failed(outcome)}", err=True)
        return RunFailed.exit_code

    def _run(self, scenario: Scenario) -> ScenarioOutcome:
        prepare_environment()
        stop, folder = StopRequest(), self.out / scenario.name
        try:
            with stop_on_signals(stop, lambda said: tell_at_once(self._stopped(said, folder))):
                from cilsim.runner.scenario_run import run_scenario

                with stdout_reserved(), self._request(stop) as request:
                    return run_scenario(scenario, self.plugins, request)
        except OutOfStep as error:
            raise self._out_of_step(error, folder) from error
        except RunFailed as error:  # the runs cannot be written
            raise RunFailed(
                f"{error}; once that is mended, go on with: {self._resume(folder)}"
            ) from error
        except Interrupted as error:
            raise Interrupted(self._stopped(str(error), folder)) from error
        except KeyboardInterrupt as error:
            _show_cursor()
            raise Interrupted(self._stopped(AT_ONCE, folder)) from error

    @contextmanager
    def _request(self, stop: StopRequest) -> Iterator[RunRequest]:
        """Give what is asked of the runner; only the first of several processes tells of it."""
        if self.processes.is_first:
            yield RunRequest(
                self.out, self.device, self.cache, self._reporters, stop, self._write_reports,
                self.processes,
            )  # fmt: skip
            return
        with TemporaryDirectory(prefix="cilsim-process-", ignore_cleanup_errors=True) as out:
            yield RunRequest(
                Path(out), self.device, self.cache, stop=stop, processes=self.processes
            )

    def _out_of_step(self, error: OutOfStep, folder: Path) -> OutOfStep:
        """Return what one of several processes says at its end; the first knows how to go on."""
        if not self.processes.is_first or not (folder / RESOLVED).is_file():
            return error
        again = f"{error}; once that is mended, go on with: {self._resume(folder)}"
        return OutOfStep(again, here=error.here)

    def _stopped(self, why: str, folder: Path) -> str:
        """Return what is said about a stop: why, and how to go on."""
        if not (folder / RESOLVED).is_file():
            return f"{why}\nnothing is stored yet; give the same command again"
        return f"{why}\nresume with: {self._resume(folder)}"

    def _resume(self, folder: Path) -> str:
        """Return the command that goes on with a run folder."""
        options = [part for path in self.plugin_files for part in ("--plugin", str(path))]
        if self.started is not None:
            options += ["--processes", str(self.started)]
        return shlex.join(["cilsim", "resume", str(folder), *options])

    def _failed(self, outcome: ScenarioOutcome) -> str:
        """Return which runs failed; why was said when it happened."""
        names = [f"{failure.strategy}/seed-{failure.seed}" for failure in outcome.failures]
        total = len(names) + len(outcome.results)
        return (
            f"{len(names)} of {total} runs failed: {', '.join(names)}; "
            f"try again with: {self._resume(outcome.folder)}"
        )

    def _reporters(self, start: RunStart) -> Sequence[object]:
        past = read_scalars(start.run.folder, start.resume_step) if start.resume_step else []
        reporters: list[object] = [
            TerminalReporter(start.number, start.of, self._verbosity, start.replay),
            ScalarLog(past),
        ]
        if self.tensorboard:
            from cilsim.report.tensorboard import TensorBoardReporter

            reporters.append(
                TensorBoardReporter(start.replay, past, start.resolved, start.environment)
            )
        return reporters

    @property
    def _verbosity(self) -> int:
        if self.settings.quiet:
            return QUIET
        return VERBOSE if self.settings.verbose else NORMAL

    def _write_reports(self, folder: Path, results: Sequence[RunResult]) -> None:
        write_reports(folder, results)
        if self.tensorboard:
            from cilsim.report.aggregate import write_aggregates

            write_aggregates(results)
        RunFolder(folder).seal()

    def _tell(self, outcome: ScenarioOutcome) -> None:
        if outcome.results and not self.settings.quiet:
            encoding = sys.stderr.encoding or "utf-8"
            if len(outcome.results) > 1:  # a single run has told its rows already
                click.echo("\n" + final_table(outcome.results, encoding), err=True)
            click.echo("\n" + closing_lines(outcome.folder, encoding), err=True)


def _show_cursor() -> None:
    """Bring back the cursor that an interrupted progress line had hidden."""
    if sys.stderr.isatty():
        click.echo(SHOW_CURSOR, nl=False, err=True)


def tell_at_once(text: str) -> None:
    """Write to stderr although the main thread may be about to, or may never go on."""
    cursor = f"\n{SHOW_CURSOR}" if sys.stderr.isatty() else ""
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"{cursor}{text}\n".encode(errors="replace"))


def prepare_environment() -> None:
    """Let threads that wait sleep soon or at once; must come before torch is imported.

    Spinning for ever ran seven times slower where other processes were busy (measured with
    libgomp, which torch brings on Linux). What the user has set stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        os.environ.setdefault("GOMP_SPINCOUNT", str(spins_while_waiting()))
