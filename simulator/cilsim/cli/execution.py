"""Runs one scenario on behalf of `run` and `resume`, and tells what came out of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from cilsim.cli.busyness import prepare_environment
from cilsim.cli.going_on import GoingOn
from cilsim.cli.last_words import show_cursor, tell_at_once
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
from cilsim.runner.interruption import AT_ONCE, StopRequest, stop_on_signals
from cilsim.runner.request import RunRequest, RunStart, ScenarioOutcome
from cilsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from cilsim.cli.settings import Settings


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
        click.echo(f"error: {self._going_on(outcome.folder).after_failures(outcome)}", err=True)
        return RunFailed.exit_code

    def _run(self, scenario: Scenario) -> ScenarioOutcome:
        prepare_environment()
        stop, going_on = StopRequest(), self._going_on(self.out / scenario.name)
        try:
            with stop_on_signals(stop, lambda said: tell_at_once(going_on.after_stop(said))):
                from cilsim.runner.scenario_run import run_scenario

                with stdout_reserved(), self._request(stop) as request:
                    return run_scenario(scenario, self.plugins, request)
        except OutOfStep as error:
            if not (self.processes.is_first and going_on.is_possible):
                raise
            raise OutOfStep(going_on.after_error(error), here=error.here) from error
        except RunFailed as error:  # the runs cannot be written
            raise RunFailed(going_on.after_error(error)) from error
        except Interrupted as error:
            raise Interrupted(going_on.after_stop(str(error))) from error
        except KeyboardInterrupt as error:
            show_cursor()
            raise Interrupted(going_on.after_stop(AT_ONCE)) from error

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

    def _going_on(self, folder: Path) -> GoingOn:
        return GoingOn(folder, self.plugin_files, self.started)

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
